#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/delivery/removal_brake.hpp"
#include "engine/delivery/removal_hold.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/plan/shard.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// A device whose removal waits for an operator.
struct held_device {
    std::string token;
    std::string entry;  ///< Its roster entry when the provider was asked.
    std::string reason;
    std::string event;
};

/// What all engines know together of the answers about an app's devices, and what is held of them. In Redis.
class removal_book {
public:
    removal_book(redis::client& redis, keyspace keys, const time_source& time)
        : redis_(redis), keys_(std::move(keys)), time_(time) {}

    /// What the brake has to know about an event's devices of a target. One with fewer answers than `floor`
    /// counts among the small ones from now on, with what it has shown so far.
    boost::asio::awaitable<result<removal_facts>> facts(std::string event, target which, std::uint64_t floor);

    /// What an event that has ended teaches about what is usual. Nothing while it is held.
    boost::asio::awaitable<result<>> learn(
        std::string event, target which, answer_counts of_event, std::uint64_t floor);

    enum class hold_outcome : std::uint8_t {
        begun,     ///< Nobody was asked before.
        added,     ///< To those that wait already.
        believed,  ///< An operator has just said that the provider is right: nothing is held.
    };
    /// Keeps devices until an operator decides. What there is no room for stays in the store and is not
    /// listed.
    boost::asio::awaitable<result<hold_outcome>> hold(
        target which, removal_hold why, std::vector<held_device> devices);

    struct open_question {
        target which;
        removal_hold why;
        std::uint64_t devices = 0;
        std::uint64_t unlisted = 0;  ///< For which there was no room.
    };
    boost::asio::awaitable<result<std::vector<open_question>>> questions();

    /// The provider was wrong: they live, and what it said of them is forgotten. Returns how many.
    boost::asio::awaitable<result<std::uint64_t>> keep(target which);
    /// The provider is right, and is believed for a day.
    boost::asio::awaitable<result<>> believe(target which);
    struct held_page {
        std::vector<held_device> devices;
        std::string next;  ///< Where the next page begins; "0": this was the last.
    };
    /// Some of those that wait; `cursor` is empty, or the `next` of the page before.
    boost::asio::awaitable<result<held_page>> some_held(target which, std::string cursor);
    boost::asio::awaitable<result<>> strike(target which, std::vector<std::string> tokens);
    /// Closes the question, if nobody waits any more.
    boost::asio::awaitable<result<>> close(target which);

    static constexpr std::size_t most_held = 1'000'000;

private:
    redis::client& redis_;
    keyspace keys_;
    const time_source& time_;
};

}  // namespace tocsin
