#include "tools/simulator/dead_token.hpp"

#include "tools/simulator/chance.hpp"

#include <xxhash.h>

namespace tocsin::sim {

std::uint64_t token_key(std::string_view token) noexcept {
    const std::uint64_t key = XXH3_64bits(token.data(), token.size());
    return key == 0 ? 1 : key;  // 0 marks an empty place in the ledger.
}

bool is_dead(std::string_view token, std::uint64_t seed, double share) noexcept {
    return is_dead_key(token_key(token), seed, share);
}

bool is_dead_key(std::uint64_t key, std::uint64_t seed, double share) noexcept {
    return share > 0 && unit(draw(key, seed, purpose::dead)) < share;
}

}  // namespace tocsin::sim
