#pragma once

#include "engine/audience/device.hpp"
#include "engine/audience/roster_head.hpp"
#include "engine/core/digest.hpp"
#include "engine/core/error.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/platform/platform.hpp"
#include "engine/platform/platform_traits.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// How many buckets things get when they are first made. Never changed by itself afterwards.
struct store_sizing {
    /// Inhabitants of a commune.
    std::function<std::uint32_t(commune_id)> population;
    /// Inhabitants that an app serves; decides the size of its device index.
    std::function<std::uint64_t(std::string_view app)> population_served;
};

/// As platform_row::inhabitants_per_bucket, for the index, which is read a device at a time: shorter is
/// faster.
constexpr std::uint32_t inhabitants_per_index_bucket = 200;

struct device_change {
    enum class action : std::uint8_t { put, remove };
    action what = action::put;
    std::string app;
    platform where{};
    device which;  ///< To remove, only `token` is read.
    /// Only if the device's roster entry is still this one: not if it has registered again, or is gone. To
    /// put it takes something out of what the device follows, and needs the next.
    std::optional<std::string> only_if_entry;
    std::vector<territory> following{};  ///< What that entry follows.
    bool only_if_absent = false;         ///< To put it only where nobody is registered by that token.
};

enum class change_outcome : std::uint8_t {
    added,
    replaced,
    removed,
    absent,   ///< There was nothing to remove.
    kept,     ///< It changed since only_if_entry was read.
    damaged,  ///< What Redis holds where it belongs is nothing that we have written: it is as it was.
};
constexpr std::size_t change_outcome_count = 6;

/// The registered devices of all apps: rosters by territory, and an index by token.
///
/// A change writes the index and every roster of one device in one script, and only if the index
/// still says what the change was computed from; otherwise it is computed again. So concurrent
/// changes of one device, from any number of processes, end as if made one after the other.
/// A page that is read meanwhile sees each device before or after, never between; an event of many
/// pages may meet a device that moves to another territory meanwhile in both, or in neither.
///
/// On a cluster the index and the rosters are on different nodes. A change then locks the device and
/// makes one step after the other (device_store_steps.cpp); a page that is read meanwhile may see a
/// device in more of its territories than it follows, and a change that was cut short is finished by
/// the next of the same device, which waits some seconds for the lock.
class device_store {
public:
    device_store(redis::client& redis, keyspace keys, platform_set platforms, store_sizing sizing)
        : redis_(redis), keys_(std::move(keys)), platforms_(platforms), sizing_(std::move(sizing)) {}

    /// Makes the changes, in their order as far as one device is concerned. One outcome each.
    /// Safe to repeat after an error. Who is removed whatever its entry is was taken out by the app itself,
    /// and then nobody brings it back (removal_traces::forget).
    boost::asio::awaitable<result<std::vector<change_outcome>>> apply(std::vector<device_change> changes);

    struct applied {
        change_outcome outcome = change_outcome::absent;
        std::vector<territory> before;  ///< What the device followed before, if it was there.
    };
    /// The same, with more to tell.
    boost::asio::awaitable<result<std::vector<applied>>> apply_telling(std::vector<device_change> changes);

    struct found {
        device which;
        std::string entry;  ///< The roster entry as stored, for device_change::only_if_entry.
    };
    boost::asio::awaitable<result<std::optional<found>>> find(
        std::string app, platform where, std::string token);
    /// The same for many, in four round trips however many they are; in the order of `tokens`.
    boost::asio::awaitable<result<std::vector<std::optional<found>>>> find_all(
        std::string app, platform where, std::vector<std::string> tokens);

    struct looked_up {
        std::vector<std::optional<found>> devices;  ///< In the order asked.
        std::vector<std::size_t> damaged;           ///< Places of those that are there, and cannot be read.

        [[nodiscard]] bool is_damaged(std::size_t place) const noexcept {
            return std::ranges::find(damaged, place) != damaged.end();
        }
    };
    /// The same for whoever goes on without those that are damaged.
    boost::asio::awaitable<result<looked_up>> look_up(
        std::string app, platform where, std::vector<token_hash> hashes);

    /// The same by what is left of tokens in an index.
    boost::asio::awaitable<result<std::vector<std::optional<found>>>> find_hashed(
        std::string app, platform where, std::vector<token_hash> hashes);

    /// Whether each of the tokens is registered, in one round trip. One whose place holds something else
    /// counts as registered.
    boost::asio::awaitable<result<std::vector<bool>>> registered(
        std::string app, platform where, std::vector<std::string> tokens);

    struct roster {
        territory where;
        roster_head head;
    };
    struct roster_list {
        std::vector<roster> rosters;  ///< In the order of territories.
        /// Whose heads cannot be read, as their fields are named: not nobody, but nobody knows who.
        std::vector<std::string> damaged;
    };
    /// The rosters of `where`, which is ordered, that anybody has ever followed.
    boost::asio::awaitable<result<roster_list>> rosters_of(
        std::string app, platform on, std::vector<territory> where);
    /// Every roster of an app on a platform.
    boost::asio::awaitable<result<roster_list>> all_rosters(std::string app, platform on);

    /// Devices registered: exact, by counting the index.
    boost::asio::awaitable<result<std::uint64_t>> count(std::string app, platform on);

    struct member_list {
        std::vector<found> devices;
        std::uint64_t unread = 0;  ///< Records that could not be read.
    };
    /// The devices in the buckets from `first` to before `end` of a roster; each of them stands in every
    /// roster of what it follows.
    boost::asio::awaitable<result<member_list>> members(
        std::string app, platform on, roster from, std::uint32_t first, std::uint32_t end);

    struct roster_size {
        territory where;
        std::uint64_t devices = 0;
    };
    /// The rosters of communes that `there_is` denies, as far as anybody follows them: in nobody's audience.
    boost::asio::awaitable<result<std::vector<roster_size>>> followers_outside(
        std::string app, platform on, std::function<bool(commune_id)> there_is);

    /// Calls `visit` for each device once, roster by roster. Returns how many records could not be read.
    boost::asio::awaitable<result<std::uint64_t>> for_each(
        std::string app, platform on, std::function<void(const device&)> visit);

    [[nodiscard]] const keyspace& keys() const noexcept { return keys_; }

private:
    /// The changes of one apply(): see device_change_work.hpp.
    class change_batch;

    boost::asio::awaitable<result<>> forget_traces(const std::vector<device_change>& changes);
    /// What Redis says, of which nothing may be an error: "nothing there" would be believed.
    boost::asio::awaitable<result<redis::replies>> ask(redis::request what);
    /// The same, but for keys that hold something else: these are in the replies.
    boost::asio::awaitable<result<redis::replies>> ask_each(redis::request what);
    /// What the index says of a device that was asked for.
    struct indexed {
        std::size_t place;  ///< In looked_up::devices.
        token_hash hash;
        territory first;
    };
    boost::asio::awaitable<result<>> read_records(
        std::string app, platform where, const std::vector<indexed>& known, looked_up& into);
    /// What Redis holds under a field of the app's heads; empty: nothing.
    boost::asio::awaitable<result<std::optional<roster_head>>> stored_head(
        std::string app, std::string field);
    [[nodiscard]] std::uint32_t buckets_for(platform on, const territory& where) const;
    [[nodiscard]] token_beginnings beginnings_on(platform which) const noexcept {
        return platforms_[which].beginnings();
    }

    redis::client& redis_;
    keyspace keys_;
    platform_set platforms_;
    store_sizing sizing_;
    // "<app>/<platform>:<territory>" and "<app>/index", as read last: what the next changes begin with. Each
    // compares what it relies on with what Redis holds, and has these forgotten if they differ.
    boost::unordered_flat_map<std::string, roster_head> heads_;
};

}  // namespace tocsin
