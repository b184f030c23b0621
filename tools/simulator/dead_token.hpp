#pragma once

#include <cstdint>
#include <string_view>

namespace tocsin::sim {

/// What the simulator knows a device token by: 64 bits, never 0, the same in every run.
/// APNs tokens are hashed in lower case.
[[nodiscard]] std::uint64_t token_key(std::string_view token) noexcept;

/// True if `token` belongs to a phone that is gone: about `share` (0 to 1) of all tokens, always
/// the same ones for the same seed, so that whoever checks the simulator can compute the set.
/// A token that is dead at one share is dead at every larger one.
[[nodiscard]] bool is_dead(std::string_view token, std::uint64_t seed, double share) noexcept;

/// The same, for whoever has the key already.
[[nodiscard]] bool is_dead_key(std::uint64_t key, std::uint64_t seed, double share) noexcept;

}  // namespace tocsin::sim
