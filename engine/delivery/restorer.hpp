#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/plan/shard.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>

namespace tocsin {

struct restore_tally {
    std::uint64_t restored = 0;
    std::uint64_t present = 0;       ///< They have registered again since, or were brought back before.
    std::uint64_t unregistered = 0;  ///< Their app has taken them out itself since.
};

/// Brings back the devices of a target that were removed on the provider's word from `since` on, as they were
/// then. With `only_count` nothing is changed, and `restored` counts who would be.
[[nodiscard]] boost::asio::awaitable<result<restore_tally>> restore_removed(
    device_store& store, redis::client& redis, target which, wall_time since, bool only_count);

}  // namespace tocsin
