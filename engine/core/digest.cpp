#include "engine/core/digest.hpp"

#include "engine/core/c_handle.hpp"
#include "engine/core/text.hpp"

#include <openssl/evp.h>

#include <cstddef>
#include <cstring>

#include <xxhash.h>

namespace tocsin {
namespace {

using digest_handle = c_handle<EVP_MD, EVP_MD_free>;
using context_handle = c_handle<EVP_MD_CTX, EVP_MD_CTX_free>;

}  // namespace

std::uint32_t token_hash::bucket(std::uint32_t buckets) const noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        value = value << 8U | static_cast<unsigned char>(bytes[i]);
    }
    // Multiply-and-shift instead of modulo: as even, and no division.
    return static_cast<std::uint32_t>((std::uint64_t{value} * buckets) >> 32U);
}

namespace {

std::array<unsigned char, 32> sha256(std::string_view bytes) noexcept {
    // Fetched once a thread: in OpenSSL 3.0 EVP_sha256() looks the algorithm up again on every
    // use, under a lock that all threads share.
    thread_local const digest_handle algorithm(EVP_MD_fetch(nullptr, "SHA256", nullptr));
    thread_local const context_handle context(EVP_MD_CTX_new());
    std::array<unsigned char, 32> full{};
    unsigned size = 0;
    EVP_DigestInit_ex2(context.get(), algorithm.get(), nullptr);
    EVP_DigestUpdate(context.get(), bytes.data(), bytes.size());
    EVP_DigestFinal_ex(context.get(), full.data(), &size);
    return full;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
    const auto full = sha256(bytes);
    return to_hex({reinterpret_cast<const char*>(full.data()), full.size()});
}

token_hash hash_token(std::string_view token) noexcept {
    const auto full = sha256(token);
    token_hash out;
    std::memcpy(out.bytes.data(), full.data(), out.bytes.size());
    return out;
}

std::uint64_t event_seed(std::string_view event_id) noexcept {
    return XXH3_64bits(event_id.data(), event_id.size());
}

void push_uuid(std::uint64_t event_seed, std::string_view token, char* out) noexcept {
    const XXH128_hash_t hash = XXH3_128bits_withSeed(token.data(), token.size(), event_seed);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    auto& bytes = canonical.digest;
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0FU) | 0x80U);  // Version 8: custom.
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3FU) | 0x80U);  // RFC 9562 variant.
    const std::string_view view(reinterpret_cast<const char*>(bytes), 16);
    to_hex(view.substr(0, 4), out);
    out[8] = '-';
    to_hex(view.substr(4, 2), out + 9);
    out[13] = '-';
    to_hex(view.substr(6, 2), out + 14);
    out[18] = '-';
    to_hex(view.substr(8, 2), out + 19);
    out[23] = '-';
    to_hex(view.substr(10, 6), out + 24);
}

}  // namespace tocsin
