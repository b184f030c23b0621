#pragma once

#include "engine/audience/device.hpp"
#include "engine/audience/short_token.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

// How a device is written in Redis. A roster maps a part of the token's hash to a record, the token and
// its entry: five bytes and what is unusual about the device. An index maps the token's hash to what the
// device follows. Only the entry can grow: its first byte has room for flags, and a reader refuses flags
// that it does not know.

/// What stands in a roster for a device, as views into Redis' reply. Token and entry are one value, so
/// that a bucket is read with HVALS: Redis spends more on each piece of a reply than on its bytes.
struct roster_record {
    token_pieces token;  ///< Of one that was not shortened there is one piece.
    std::string_view entry;
};

/// Empty if `value` is not something that encode_roster_record() has written, with the same `beginnings`:
/// those of the device's platform. Does not look at the entry.
[[nodiscard]] std::optional<roster_record> decode_roster_record(
    std::string_view value, token_beginnings beginnings) noexcept;
/// As it was written when the entry was read: endpoints were written whole once, and such entries say so.
[[nodiscard]] std::string encode_roster_record(
    std::string_view token, std::string_view entry, token_beginnings beginnings);
[[nodiscard]] std::string encode_roster_record(const device& which, token_beginnings beginnings);

/// What a roster says about a device, as views into Redis' reply. Decoded once per push, so nothing
/// here allocates.
struct roster_entry {
    bool sandbox = false;
    bool is_fid = false;
    std::uint32_t registered_at = 0;
    std::string_view keys;  ///< subscription_keys; empty: none.
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
