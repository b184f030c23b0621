#pragma once

#include "engine/audience/device.hpp"
#include "engine/core/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

// How a device is written in Redis. A roster entry maps a token to five bytes and what is unusual
// about it; an index entry maps a token's hash to what it follows. Both are versionless: their
// first byte has room for flags, and a reader refuses flags that it does not know.

/// What a roster says about a device, as views into Redis' reply. Decoded once per push, so nothing
/// here allocates.
struct roster_entry {
    bool sandbox = false;
    bool is_fid = false;
    std::uint32_t registered_at = 0;
    std::string_view locale;
    std::string_view muted;    ///< Encoded list; see mutes().
    std::string_view follows;  ///< Encoded list; empty if the device follows this roster's territory only.

    [[nodiscard]] bool mutes(std::string_view category) const noexcept;
};

/// Empty if `value` is not something that encode_roster_entry() has written.
[[nodiscard]] std::optional<roster_entry> decode_roster_entry(std::string_view value) noexcept;

/// The value of `which` in the roster of each territory it follows.
[[nodiscard]] std::string encode_roster_entry(const device& which);

/// The value in the device index. Never empty.
[[nodiscard]] std::string encode_follows(const std::vector<territory>& follow);

/// One territory after another out of an encoded list, without allocating.
class follow_reader {
public:
    struct item {
        commune_id commune{0};
        std::string_view zone;
    };

    explicit follow_reader(std::string_view encoded) noexcept : rest_(encoded) {}
    /// The next territory; empty at the end or at the first byte that makes no sense.
    [[nodiscard]] std::optional<item> next() noexcept;
    [[nodiscard]] bool malformed() const noexcept { return malformed_; }

private:
    std::string_view rest_;
    bool malformed_ = false;
};

[[nodiscard]] std::optional<std::vector<territory>> decode_follows(std::string_view encoded);

/// The whole device again; `where` is the territory of the roster that the entry was read from.
[[nodiscard]] std::optional<device> decode_device(
    std::string_view token, std::string_view entry, const territory& where);

}  // namespace tocsin
