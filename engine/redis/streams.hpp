#pragma once

#include "engine/core/error.hpp"
#include "engine/redis/client.hpp"
#include "engine/redis/reply.hpp"
#include "engine/redis/request.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::redis {

/// "1700000000000-3": when Redis took the entry in, and its number within that millisecond.
struct entry_id {
    std::uint64_t ms = 0;
    std::uint64_t sequence = 0;

    [[nodiscard]] std::string to_string() const;
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 misreads the 0 inside a defaulted <=>.
    friend constexpr auto operator<=>(const entry_id&, const entry_id&) = default;
};

/// Reads a full id, "ms-sequence". Empty for anything else, as for "*" and "$".
[[nodiscard]] std::optional<entry_id> parse_entry_id(std::string_view text) noexcept;

/// One entry of a stream. The fields are views into the reply it was read from.
struct stream_entry {
    std::string id;
    /// It was deleted or trimmed while it waited in a consumer's list: there is nothing to do but
    /// acknowledge it.
    bool deleted = false;
    std::optional<reply> fields;  ///< Names and values in turn; empty if deleted.

    /// The value of the first field called `name`.
    [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const noexcept;
};

/// What one stream gave to an XREAD or XREADGROUP.
struct stream_batch {
    std::string_view stream;
    std::vector<stream_entry> entries;
};

/// The answer to XAUTOCLAIM.
struct claimed_entries {
    std::string next;  ///< Where the next call starts; "0-0" once the whole list was looked at.
    std::vector<stream_entry> entries;
    std::vector<std::string> deleted;  ///< Ids that no longer exist and have left the list (Redis 7).
};

/// XRANGE, XREVRANGE and XCLAIM. Error, here and below: redis_errc::unexpected_reply.
[[nodiscard]] result<std::vector<stream_entry>> parse_entries(const reply& answer);
/// XREAD and XREADGROUP. Nothing in time is no batches, not an error.
[[nodiscard]] result<std::vector<stream_batch>> parse_batches(const reply& answer);
/// XAUTOCLAIM. Redis 6.2 gives nothing, not even the id, of an entry that no longer exists; it is skipped.
[[nodiscard]] result<claimed_entries> parse_claimed(const reply& answer);

/// What XINFO GROUPS says of a group.
struct group_state {
    std::string last_delivered;
    std::optional<std::int64_t> lag;  ///< Empty: Redis cannot say.
    std::optional<std::int64_t> pending;
};
/// XINFO GROUPS. Nothing if there is no such group, or no such stream.
[[nodiscard]] std::optional<group_state> parse_group(const reply& groups, std::string_view name);

struct group_reader {
    std::string group;
    std::string consumer;
    std::size_t count = 100;  ///< Entries per stream, at most.
    /// How long Redis may hold the answer back when there is nothing; empty: not at all. Holds up the
    /// whole connection, so blocking reads need a client of their own.
    std::optional<std::chrono::milliseconds> block;
};

/// XREADGROUP of what no consumer of the group has seen (`from` ">"), or of what this consumer has
/// pending after the id `from`.
[[nodiscard]] request read_group(
    const group_reader& how, std::span<const std::string> streams, std::string_view from = ">");

/// XAUTOCLAIM of what other consumers have held for at least `idle`, from the id `start` on.
[[nodiscard]] request claim_idle(
    const group_reader& how, std::string_view stream, std::chrono::milliseconds idle,
    std::string_view start = "0-0");

/// Makes the group, from the stream's beginning, and the stream if it is missing. That they are
/// there already is success.
boost::asio::awaitable<result<>> ensure_group(client& redis, std::string stream, std::string group);

/// Whether a consumer of the group has yet to be given an entry, or to acknowledge it.
enum class entry_prospect : std::uint8_t {
    outstanding,
    over,  ///< It is acknowledged, or no longer in the stream: it will be given to nobody.
};
boost::asio::awaitable<result<entry_prospect>> prospect_of(
    client& redis, std::string stream, std::string group, std::string entry);

}  // namespace tocsin::redis
