#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/event/territory.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/platform/platform.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// What is kept of a device that was removed on a provider's word, so that it can be brought back.
struct removal_trace {
    std::string token;
    std::string entry;              ///< Its roster entry.
    std::vector<territory> follow;  ///< What it followed.
};

/// The devices that were removed on the provider's word in the last days, of each app on each platform, and
/// those that their app has taken out itself since. Both are forgotten after a while, and the oldest also if
/// they are too many.
class removal_traces {
public:
    removal_traces(redis::client& redis, keyspace keys) : redis_(redis), keys_(std::move(keys)) {}

    /// Adds to `into` what must come before devices leave the store: from then on forget() writes down whom
    /// their app takes out, also if it does so before they are kept. Is answered with the time, for keep().
    void expect(
        redis::request& into, std::string_view app, platform on, std::chrono::milliseconds kept_for) const;

    /// Adds to `into` what keeps them for `kept_for`. They were in the store at `begun`, by the clock of
    /// Redis.
    void keep(
        redis::request& into, std::string_view app, platform on, const std::vector<removal_trace>& gone,
        std::chrono::milliseconds kept_for, wall_time begun) const;

    /// Adds to `into` what makes sure that nobody brings these back or removes them on a provider's word of
    /// before: the app has taken them out itself.
    void forget(
        redis::request& into, std::string_view app, platform on,
        const std::vector<std::string>& tokens) const;

    /// What is older than that goes for good.
    boost::asio::awaitable<result<>> trim(std::string app, platform on, std::chrono::milliseconds kept_for);

    struct removal {
        wall_time begun{};  ///< By the clock of Redis: it was in the store then, or later.
        removal_trace which;
    };
    struct page {
        std::vector<removal> removals;  ///< Newest first.
        std::string next;               ///< Where the next page begins; empty: there is none.
    };
    /// Some of those that were removed from `since` on; `from` is empty, or the `next` of the page before.
    boost::asio::awaitable<result<page>> read(
        std::string app, platform on, wall_time since, std::string from);

    /// Devices, by their 96-bit hash, that their app has taken out itself from `since` on, and when.
    boost::asio::awaitable<result<std::map<std::string, wall_time>>> unregistered(
        std::string app, platform on, wall_time since);

    /// Of each app on each platform. An entry is one device, so that this is a bound of devices.
    static constexpr std::size_t most_devices = 1'000'000;

private:
    redis::client& redis_;
    keyspace keys_;
};

}  // namespace tocsin
