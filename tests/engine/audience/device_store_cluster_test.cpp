#include "engine/audience/roster_codec.hpp"
#include "engine/core/digest.hpp"
#include "engine/core/log.hpp"
#include "engine/redis/slot.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/audience/device_changes.hpp"
#include "tests/support/redis_cluster.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <chrono>
#include <optional>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using testing::place;
using testing::put;
using testing::redis_cluster;
using testing::removal;

class DeviceStoreOnCluster : public ::testing::Test {
protected:
    template <class T>
    T run(boost::asio::awaitable<T> work) {
        return testing::run_to_end(loop, std::move(work));
    }
    std::vector<change_outcome> apply(std::vector<device_change> changes) {
        return run(store.apply(std::move(changes))).value();
    }
    std::optional<device> find(const std::string& token) {
        auto out = run(store.find("mairies", platform::fcm, token)).value();
        return out ? std::optional(std::move(out->which)) : std::nullopt;
    }
    std::map<std::string, int> roster_entries() { return testing::roster_entries(loop, redis, store); }
    std::string index_key(const std::string& token) {
        return keys.index_bucket("mairies", platform::fcm, hash_token(token).bucket(50));
    }
    /// Changes are over: no lock is left.
    bool unlocked(const std::string& token) {
        redis::request ask;
        ask.add("EXISTS", keys.change_lock(index_key(token), hash_token(token).view()));
        return run(redis.execute(std::move(ask))).value().front().integer() == 0;
    }

    redis_cluster cluster;
    boost::asio::io_context loop{1};
    system_time_source time;
    null_logger log;
    keyspace keys{"tocsin"};
    redis::client redis{loop.get_executor(), redis::parse_address(cluster.url()).value(), time, log};
    // Five buckets for each roster of FCM.
    store_sizing sizing{
        [](commune_id) { return 5 * row_of(platform::fcm).inhabitants_per_bucket; },
        [](std::string_view) { return 10'000ULL; }};
    device_store store{redis, keys, known_platforms(), sizing};
};

TEST_F(DeviceStoreOnCluster, RegistersReplacesAndRemoves) {
    EXPECT_EQ(apply({put("alice", {place("21231"), place("21054")})}), std::vector{change_outcome::added});
    EXPECT_EQ(find("alice")->follow, (std::vector{place("21054"), place("21231")}));
    EXPECT_EQ(roster_entries()["alice"], 2);
    EXPECT_TRUE(unlocked("alice"));

    EXPECT_EQ(
        apply({put("alice", {place("21054"), place("21231", "centre")})}),
        std::vector{change_outcome::replaced});
    EXPECT_EQ(find("alice")->follow, (std::vector{place("21054"), place("21231", "centre")}));
    EXPECT_EQ(roster_entries()["alice"], 2);

    EXPECT_EQ(apply({removal("alice")}), std::vector{change_outcome::removed});
    EXPECT_FALSE(find("alice"));
    EXPECT_TRUE(roster_entries().empty());
    EXPECT_EQ(apply({removal("alice")}), std::vector{change_outcome::absent});
    EXPECT_TRUE(unlocked("alice"));

    apply(
        {put("bob", {place("21231")}), removal("bob"), put("bob", {place("21054")}),
         put("bob", {place("21166")})});
    EXPECT_EQ(find("bob")->follow, std::vector{place("21166")});
    EXPECT_EQ(roster_entries()["bob"], 1);
}

TEST_F(DeviceStoreOnCluster, PruningRemovesTheDeadAndSparesWhoHasRegisteredAgain) {
    apply({put("carol", {place("21231")}, 100), put("dave", {place("21231"), place("21054")}, 100)});
    device_change prune = removal("carol");
    prune.only_if_entry = run(store.find("mairies", platform::fcm, "carol")).value()->entry;
    device_change also = removal("dave");
    also.only_if_entry = run(store.find("mairies", platform::fcm, "dave")).value()->entry;
    apply({put("carol", {place("21231")}, 200)});
    EXPECT_EQ(apply({prune, also}), (std::vector{change_outcome::kept, change_outcome::removed}));
    EXPECT_EQ(find("carol")->registered_at, 200U);
    EXPECT_FALSE(find("dave"));
    EXPECT_TRUE(unlocked("carol"));
}

TEST_F(DeviceStoreOnCluster, GuardedPutSparesWhatRegisteredAgainAndBringsNothingBack) {
    apply({put("alice", {place("01033")}), put("bob", {place("01033")}), put("carol", {place("01033")})});
    std::vector<device_change> moves;
    for (const char* const token : {"alice", "bob", "carol"}) {
        auto seen = run(store.find("mairies", platform::fcm, token)).value();
        device_change move = put(token, {place("01036")});
        move.following = seen->which.follow;
        move.only_if_entry = seen->entry;
        moves.push_back(std::move(move));
    }
    apply({put("bob", {place("21231")}, 2), removal("carol")});
    EXPECT_EQ(
        apply(std::move(moves)),
        (std::vector{change_outcome::replaced, change_outcome::kept, change_outcome::kept}));
    EXPECT_EQ(find("alice")->follow, std::vector{place("01036")});
    EXPECT_EQ(find("bob")->follow, std::vector{place("21231")});
    EXPECT_FALSE(find("carol"));
    EXPECT_EQ(roster_entries(), (std::map<std::string, int>{{"alice", 1}, {"bob", 1}}));
    EXPECT_TRUE(unlocked("carol"));
}

TEST_F(DeviceStoreOnCluster, ABulkImportIsSpreadOverTheNodesAndCountedOnce) {
    std::vector<device_change> changes;
    for (int i = 0; i < 1'000; ++i) {
        changes.push_back(
            put("device-" + std::to_string(i), {place("21231"), place("21054"), place("21166", "bourg")}));
    }
    apply(std::move(changes));
    EXPECT_EQ(run(store.count("mairies", platform::fcm)).value(), 1'000U);
    std::map<std::string, int> visited;
    ASSERT_TRUE(run(store.for_each("mairies", platform::fcm, [&](const device& one) {
                    ++visited[one.token];
                })).has_value());
    EXPECT_EQ(visited.size(), 1'000U);
    EXPECT_TRUE(std::ranges::all_of(visited, [](const auto& one) { return one.second == 1; }));
    for (std::size_t node = 0; node < redis_cluster::masters; ++node) {
        EXPECT_NE(cluster.node(node).cli({"DBSIZE"}), "0");
    }
}

TEST_F(DeviceStoreOnCluster, ConcurrentChangesOfTheSameDevicesLeaveNoOrphans) {
    using namespace boost::asio::experimental::awaitable_operators;
    redis::client other_redis(loop.get_executor(), redis::parse_address(cluster.url()).value(), time, log);
    device_store other(other_redis, keys, known_platforms(), sizing);
    const std::vector<territory> places{place("21231"), place("21054"), place("21166")};
    std::vector<device_change> ours;
    std::vector<device_change> theirs;
    for (int i = 0; i < 200; ++i) {
        const std::string token = "device-" + std::to_string(i % 40);
        ours.push_back(i % 3 == 0 ? removal(token) : put(token, {places[static_cast<std::size_t>(i) % 3]}));
        theirs.push_back(
            i % 5 == 0 ? removal(token)
                       : put(token, {places[static_cast<std::size_t>(i + 1) % 3], place("21231", "nord")}));
    }
    const auto both = run(store.apply(ours) && other.apply(theirs));
    ASSERT_TRUE(std::get<0>(both).has_value());
    ASSERT_TRUE(std::get<1>(both).has_value());
    for (const auto& [token, times] : roster_entries()) {
        const auto known = find(token);
        ASSERT_TRUE(known.has_value()) << token;
        EXPECT_EQ(static_cast<std::size_t>(times), known->follow.size()) << token;
    }
}

TEST_F(DeviceStoreOnCluster, BatchesThatRunBesideEachOtherInOneStoreLeaveNoOrphans) {
    constexpr int batches = 20;
    constexpr int in_each = 10;
    std::vector<device_change> changes;
    std::vector<std::string> names;
    for (int n = 0; n < batches * in_each; ++n) {
        names.push_back("device-" + std::to_string(n));
        changes.push_back(put(names.back(), {place("21231"), place("21054"), place("21166")}));
    }
    apply(std::move(changes));
    const auto found = run(store.find_all("mairies", platform::fcm, names)).value();
    int removed = 0;
    loop.restart();
    for (int b = 0; b < batches; ++b) {
        std::vector<device_change> gone;
        for (int n = b * in_each; n < (b + 1) * in_each; ++n) {
            gone.push_back(removal(names[n]));
            gone.back().only_if_entry = found[n].value().entry;
        }
        boost::asio::co_spawn(
            loop, store.apply(std::move(gone)),
            [&removed](const std::exception_ptr& failed, const auto& done) {
                removed += !failed && done.has_value() ? 1 : 0;
            });
        // Each begins while those before it are at another step.
        for (int step = 0; step < 7; ++step) {
            loop.run_one_for(std::chrono::seconds(1));
        }
    }
    while (removed < batches && loop.run_one_for(std::chrono::seconds(10)) != 0) {
    }
    EXPECT_EQ(removed, batches);
    EXPECT_TRUE(roster_entries().empty());
}

TEST_F(DeviceStoreOnCluster, AChangeThatWasCutShortIsFinishedByTheNextOne) {
    const std::string hash(hash_token("erin").view());
    apply({put("erin", {place("21231")}), put("somebody", {place("21054"), place("21166")})});
    // Erin moves from 21231 to 21054, and whoever does it dies before the old entry is deleted.
    const device_change moved = put("erin", {place("21054")});
    redis::request cut;
    cut.add("HSET", index_key("erin"), hash, encode_follows({place("21054"), place("21231")}));
    cut.add(
        "HSET", keys.roster_bucket("mairies", platform::fcm, "21054", 1, hash_token("erin").bucket(5)),
        hash_token("erin").within_bucket(), encode_roster_record(moved.which, no_common_beginning));
    ASSERT_FALSE(run(redis.execute(std::move(cut))).value().first_error());
    ASSERT_EQ(roster_entries()["erin"], 2);
    EXPECT_EQ(apply({moved}), std::vector{change_outcome::replaced});
    EXPECT_EQ(find("erin")->follow, std::vector{place("21054")});
    EXPECT_EQ(roster_entries()["erin"], 1);

    // Or dies before anything is written but the index.
    redis::request early;
    early.add("HSET", index_key("erin"), hash, encode_follows({place("21054"), place("21166")}));
    ASSERT_FALSE(run(redis.execute(std::move(early))).value().first_error());
    EXPECT_EQ(apply({removal("erin")}), std::vector{change_outcome::removed});
    EXPECT_FALSE(roster_entries().contains("erin"));
    EXPECT_EQ(run(store.count("mairies", platform::fcm)).value(), 1U);
}

TEST_F(DeviceStoreOnCluster, AMoveThatFailsHalfWayLeavesTheOldPlaceAndAnIndexThatNamesBoth) {
    const std::string hash(hash_token("heidi").view());
    apply({put("heidi", {place("21231")}), put("somebody", {place("21054")})});
    // A bucket that is no hash stops the change when it comes to the new place.
    const std::string bucket =
        keys.roster_bucket("mairies", platform::fcm, "21054", 1, hash_token("heidi").bucket(5));
    redis::request obstacle;
    obstacle.add("SET", bucket, "no hash");
    ASSERT_FALSE(run(redis.execute(std::move(obstacle))).value().first_error());
    EXPECT_TRUE(run(store.apply({put("heidi", {place("21054")})})).has_error());
    redis::request look;
    look.add("HGET", index_key("heidi"), hash);
    look.add(
        "HEXISTS", keys.roster_bucket("mairies", platform::fcm, "21231", 1, hash_token("heidi").bucket(5)),
        hash_token("heidi").within_bucket());
    const auto seen = run(redis.execute(std::move(look))).value();
    EXPECT_EQ(seen[0].text(), encode_follows({place("21054"), place("21231")}));
    EXPECT_EQ(seen[1].integer(), 1);

    redis::request clear;
    clear.add("DEL", bucket);
    clear.add("DEL", keys.change_lock(index_key("heidi"), hash));  // As if its time were up.
    EXPECT_EQ(run(redis.execute(std::move(clear))).value()[1].integer(), 1);
    EXPECT_EQ(apply({put("heidi", {place("21054")})}), std::vector{change_outcome::replaced});
    EXPECT_EQ(find("heidi")->follow, std::vector{place("21054")});
    EXPECT_EQ(roster_entries()["heidi"], 1);
}

TEST_F(DeviceStoreOnCluster, WaitsForWhoeverChangesTheSameDeviceAndNotForAnyOther) {
    apply({put("frank", {place("21231")})});
    const auto began = std::chrono::steady_clock::now();
    redis::request hold;
    hold.add("SET", keys.change_lock(index_key("frank"), hash_token("frank").view()), "another", "PX", 400);
    ASSERT_EQ(run(redis.execute(std::move(hold))).value().front().text(), "OK");
    EXPECT_EQ(
        apply({removal("frank"), put("grace", {place("21231")})}),
        (std::vector{change_outcome::removed, change_outcome::added}));
    EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(400));
    EXPECT_TRUE(unlocked("frank"));
}

TEST_F(DeviceStoreOnCluster, ALockSharesTheSlotOfItsIndexBucket) {
    const std::string index = index_key("frank");
    EXPECT_EQ(redis::key_slot(keys.change_lock(index, "any")), redis::key_slot(index));
    const keyspace braced("{town}");
    EXPECT_EQ(redis::key_slot(braced.posted("s", "1-0")), redis::key_slot(braced.dead_letters()));
}

}  // namespace
}  // namespace tocsin
