#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/plan/shard.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

/// How far an event that is not over has come with one device.
enum class page_stage : std::uint8_t {
    not_begun,  ///< Its page was not read yet.
    open,       ///< Its page was read: it may have been sent to, and has no outcome yet.
    parked,     ///< It waits in Redis to be tried again.
    settled     ///< Its page is in the sums: it has its outcome.
};
constexpr std::size_t page_stage_count = 4;
inline constexpr std::array<std::string_view, page_stage_count> page_stage_names{
    "not_begun", "open", "parked", "settled"};

struct whereabouts {
    page_stage stage = page_stage::settled;
    std::optional<std::uint32_t> page{};  ///< Empty: parked, or its shard is done.
    wall_time due{};  ///< Parked: when it is tried again. Not begun: its moment, if it has one of its own.
    unsigned attempts = 0;    ///< Before it was parked.
    bool maybe_sent = false;  ///< One of them may have reached it.
};

/// Where a roster keeps a device.
struct device_place {
    territory where;
    std::uint32_t generation = 1;
    std::uint32_t bucket = 0;
};

/// Looks for a device in what is left to do of an event: its parked pushes, then the shards that are not
/// done. In neither, its shard is done. `place` is where the event meets it in a roster; empty: it is named
/// by the event. For people: reads everything that is left of one target, and a device on its way from one
/// list to another may be seen in the first.
boost::asio::awaitable<result<whereabouts>> find_whereabouts(
    redis::client& redis, keyspace keys, std::string event, target which, std::string token,
    std::optional<device_place> place);

/// The page of `which` that has the device; empty if none has. A shard of named devices or retries is one
/// page.
[[nodiscard]] std::optional<std::uint32_t> page_with(
    const shard& which, std::string_view token, const std::optional<device_place>& place);

}  // namespace tocsin
