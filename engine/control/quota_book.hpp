#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/plan/shard.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace tocsin {

/// Some pushes that a lane may send, spread over a stretch of time that no other lane was given.
struct quota_slice {
    std::uint32_t pushes = 0;
    time_point from{};
    time_point until{};
};

/// One target's rate, shared by all lanes of all engines: the bucket stands in Redis, and lanes take
/// slices of it that follow one another in time.
///
/// All lanes together are paced to the rate, however many there are; a lane that dies with a slice
/// costs the others that slice's time. Critical pushes do not stand behind the slices that others
/// were given: they are served at once, at most at the rate, and everybody else pays for them later.
///
/// A bucket that was idle is cold: it gives out the gentle rate at first and the whole one only after
/// `ramp_up` of use, and cools down as fast as it warms up. Not for critical pushes.
class quota_book {
public:
    /// Pushes per second that need no ramp: no provider minds so few.
    static constexpr std::uint64_t gentle_rate = 1'000;

    /// `ramp_up` of 0: the whole rate at once, however long nothing was sent.
    quota_book(
        redis::client& redis, keyspace keys, const time_source& time, std::chrono::milliseconds ramp_up)
        : redis_(redis), keys_(std::move(keys)), time_(time), ramp_up_(ramp_up) {}

    struct question {
        target which;
        std::uint64_t rate = 0;  ///< Pushes per second, of all lanes.
        std::uint32_t wanted = 0;
        bool critical = false;
    };
    /// At least one and never more than was wanted: fewer while the rate is lower than it was asked to be,
    /// so that a slice takes no longer for it.
    boost::asio::awaitable<result<quota_slice>> lease(question what);

    /// The provider has pushed back: less for everybody for a while, nothing before `hold` has passed.
    boost::asio::awaitable<result<>> slow_down(target which, std::chrono::milliseconds hold);

private:
    redis::client& redis_;
    keyspace keys_;
    const time_source& time_;
    std::chrono::milliseconds ramp_up_;
};

}  // namespace tocsin
