#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin {

/// The first 96 bits of a token's SHA-256: what the device index is keyed by, and what says
/// which bucket a device lives in, and where in the bucket. Stored, so it may never change.
///
/// A cryptographic hash because tokens come from strangers: nobody may choose one that takes
/// another device's place.
struct token_hash {
    std::array<char, 12> bytes{};

    [[nodiscard]] std::string_view view() const noexcept { return {bytes.data(), bytes.size()}; }
    /// A number in [0, buckets).
    [[nodiscard]] std::uint32_t bucket(std::uint32_t buckets) const noexcept;
    /// What tells a device from the others in its bucket: the bytes that bucket() does not look at.
    [[nodiscard]] std::string_view within_bucket() const noexcept { return view().substr(4); }
    friend bool operator==(const token_hash&, const token_hash&) = default;
};

[[nodiscard]] token_hash hash_token(std::string_view token) noexcept;

/// SHA-256, as 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

/// A canonical lower-case UUID (version 8, RFC 9562) that is the same for the same event and
/// device on every engine and every retry. Writes 36 characters to `out`.
void push_uuid(std::uint64_t event_seed, std::string_view token, char* out) noexcept;

/// The seed of push_uuid() for an event.
[[nodiscard]] std::uint64_t event_seed(std::string_view event_id) noexcept;

}  // namespace tocsin
