#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/plan/active_event.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/platform/platform_traits.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace tocsin {

/// Whom an event would be sent to through one app on one platform.
struct head_count {
    target which;
    std::uint64_t devices = 0;     ///< Would be sent to: not the muted.
    std::uint64_t muted = 0;       ///< Muted its category.
    std::uint64_t duplicates = 0;  ///< Entries of devices that the event has matched elsewhere already.
    std::uint64_t unread = 0;      ///< Entries that make no sense.
    /// Those of `devices` that leave later than at once, by when the first of their wave does.
    std::map<wall_time, std::uint64_t> deferred;

    [[nodiscard]] std::uint64_t targeted() const noexcept { return devices + muted; }
};

/// Reads the pages of `plan` as a worker does, by page::fill() itself, and counts what would be sent. Opens
/// no page, writes nothing. One count for each of the event's targets, in their order.
///
/// Exact as long as no device changes meanwhile. Holds a few pages at a time, however large the audience.
boost::asio::awaitable<result<std::vector<head_count>>> count_heads(
    redis::client& redis, const keyspace& keys, platform_set platforms, std::shared_ptr<active_event> event,
    event_plan plan);

}  // namespace tocsin
