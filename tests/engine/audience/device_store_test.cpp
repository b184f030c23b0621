#include "engine/audience/device_store.hpp"

#include "engine/audience/compact_form.hpp"
#include "engine/audience/roster_codec.hpp"
#include "engine/core/digest.hpp"
#include "tests/engine/audience/device_changes.hpp"
#include "tests/support/redis_fixture.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace tocsin {
namespace {

using testing::place;
using testing::put;
using testing::removal;

boost::asio::awaitable<bool> prefer_compact(redis::client& redis) {
    null_logger log;
    co_await prefer_compact_rosters(redis, log);
    co_return true;
}

class DeviceStoreTest : public testing::redis_fixture {
protected:
    std::vector<change_outcome> apply(std::vector<device_change> changes) {
        return run(store.apply(std::move(changes))).value();
    }
    std::optional<device> find(const std::string& token) {
        auto out = run(store.find("mairies", platform::fcm, token)).value();
        return out ? std::optional(std::move(out->which)) : std::nullopt;
    }
    std::map<std::string, int> roster_entries() { return testing::roster_entries(loop, redis, store); }

    // Five buckets for each roster of FCM.
    store_sizing sizing{
        [](commune_id) { return 5 * inhabitants_per_bucket(platform::fcm); },
        [](std::string_view) { return 10'000ULL; }};
    device_store store{redis, keys, sizing};
};

TEST_F(DeviceStoreTest, RegistersReplacesAndRemoves) {
    EXPECT_EQ(apply({put("alice", {place("21231"), place("21054")})}), std::vector{change_outcome::added});
    EXPECT_EQ(find("alice")->follow, (std::vector{place("21054"), place("21231")}));
    EXPECT_EQ(roster_entries()["alice"], 2);

    EXPECT_EQ(apply({put("alice", {place("21231", "centre")})}), std::vector{change_outcome::replaced});
    EXPECT_EQ(find("alice")->follow, std::vector{place("21231", "centre")});
    EXPECT_EQ(roster_entries()["alice"], 1);

    EXPECT_EQ(apply({removal("alice")}), std::vector{change_outcome::removed});
    EXPECT_FALSE(find("alice"));
    EXPECT_TRUE(roster_entries().empty());
    EXPECT_EQ(apply({removal("alice")}), std::vector{change_outcome::absent});
}

TEST_F(DeviceStoreTest, TakesChangesOfOneDeviceInTheirOrder) {
    apply(
        {put("bob", {place("21231")}), removal("bob"), put("bob", {place("21054")}),
         put("bob", {place("21166")})});
    EXPECT_EQ(find("bob")->follow, std::vector{place("21166")});
    EXPECT_EQ(roster_entries()["bob"], 1);
    apply({put("bob", {place("21231")}), removal("bob")});
    EXPECT_FALSE(find("bob"));
    EXPECT_TRUE(roster_entries().empty());
}

TEST_F(DeviceStoreTest, ConcurrentChangesOfTheSameDevicesLeaveNoOrphans) {
    using namespace boost::asio::experimental::awaitable_operators;
    device_store other(redis, keys, sizing);
    const std::vector<territory> places{place("21231"), place("21054"), place("21166")};
    std::vector<device_change> ours;
    std::vector<device_change> theirs;
    for (int i = 0; i < 400; ++i) {
        const std::string token = "device-" + std::to_string(i % 40);
        ours.push_back(i % 3 == 0 ? removal(token) : put(token, {places[static_cast<std::size_t>(i) % 3]}));
        theirs.push_back(
            i % 5 == 0 ? removal(token) : put(token, {places[static_cast<std::size_t>(i + 1) % 3]}));
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

TEST_F(DeviceStoreTest, PruningSparesADeviceThatHasRegisteredAgain) {
    apply({put("carol", {place("21231")}, 100)});
    const auto seen = run(store.find("mairies", platform::fcm, "carol")).value();
    apply({put("carol", {place("21231")}, 200)});
    device_change prune = removal("carol");
    prune.only_if_entry = seen->entry;
    EXPECT_EQ(apply({prune}), std::vector{change_outcome::kept});
    EXPECT_TRUE(find("carol"));

    prune.only_if_entry = run(store.find("mairies", platform::fcm, "carol")).value()->entry;
    EXPECT_EQ(apply({prune}), std::vector{change_outcome::removed});
}

TEST_F(DeviceStoreTest, CountsAndVisitsEachDeviceOnceHoweverMuchItFollows) {
    std::vector<device_change> changes;
    for (int i = 0; i < 1'000; ++i) {
        changes.push_back(
            put("device-" + std::to_string(i), {place("21231"), place("21054"), place("21166", "bourg")}));
    }
    apply(std::move(changes));
    EXPECT_EQ(run(store.count("mairies", platform::fcm)).value(), 1'000U);
    EXPECT_EQ(run(store.count("mairies", platform::apns)).value(), 0U);
    std::map<std::string, int> visited;
    ASSERT_TRUE(run(store.for_each("mairies", platform::fcm, [&](const device& one) {
                    ++visited[one.token];
                })).has_value());
    EXPECT_EQ(visited.size(), 1'000U);
    EXPECT_TRUE(std::ranges::all_of(visited, [](const auto& one) { return one.second == 1; }));
}

TEST_F(DeviceStoreTest, AnErrorOfRedisIsNotTakenForNobody) {
    apply({put("alice", {place("21231")})});
    const std::uint32_t bucket = hash_token("alice").bucket(5);
    server.cli({"DEL", keys.roster_bucket("mairies", platform::fcm, "21231", 1, bucket)});
    server.cli({"SET", keys.roster_bucket("mairies", platform::fcm, "21231", 1, bucket), "no hash"});
    EXPECT_TRUE(run(store.find("mairies", platform::fcm, "alice")).has_error());
    EXPECT_TRUE(run(store.for_each("mairies", platform::fcm, [](const device&) {})).has_error());
    server.cli({"DEL", keys.rosters("mairies")});
    server.cli({"SET", keys.rosters("mairies"), "no hash"});
    EXPECT_TRUE(run(store.all_rosters("mairies", platform::fcm)).has_error());
    EXPECT_TRUE(run(store.heads("mairies", platform::fcm, {place("21231")})).has_error());
    EXPECT_TRUE(run(store.registered("mairies", platform::fcm, {"alice"})).has_error());
    EXPECT_TRUE(run(store.count("mairies", platform::fcm)).has_error());
}

TEST_F(DeviceStoreTest, RecordsThatCannotBeReadAreCountedWhenAllAreVisited) {
    apply({put("alice", {place("21231")})});
    const std::string bucket = keys.roster_bucket("mairies", platform::fcm, "21231", 1, 0);
    server.cli({"HSET", bucket, "a token of before", "entry"});
    int visited = 0;
    EXPECT_EQ(run(store.for_each("mairies", platform::fcm, [&](const device&) { ++visited; })).value(), 1U);
    EXPECT_EQ(visited, 1);
}

TEST_F(DeviceStoreTest, AnotherTokenInADevicesPlaceIsNeitherShownNorRemoved) {
    apply({put("alice", {place("21231")})});
    redis::request other;
    const token_hash hash = hash_token("alice");
    other.add(
        "HSET", keys.roster_bucket("mairies", platform::fcm, "21231", 1, hash.bucket(5)),
        hash.within_bucket(), encode_roster_record(put("mallory", {place("21231")}).which));
    ASSERT_FALSE(run(redis.execute(std::move(other))).value().first_error());
    EXPECT_FALSE(run(store.find("mairies", platform::fcm, "alice")).value().has_value());
    device_change dead = removal("alice");
    dead.only_if_entry = encode_roster_entry(put("alice", {place("21231")}).which);
    EXPECT_EQ(apply({dead}), std::vector{change_outcome::kept});
}

TEST_F(DeviceStoreTest, KeepsRostersInRedisCompactForm) {
    server.cli({"CONFIG", "SET", "hash-max-listpack-value", "64"});
    run(prefer_compact(redis));
    std::vector<device_change> changes;
    for (int i = 0; i < 350; ++i) {
        // As long as a token of FCM may be.
        std::string token = "device-" + std::to_string(i);
        token.resize(1'024, 'x');
        changes.push_back(put(std::move(token), {place("21231")}));
    }
    apply(std::move(changes));
    for (std::uint32_t b = 0; b < 5; ++b) {
        EXPECT_EQ(
            server.cli({"OBJECT", "ENCODING", keys.roster_bucket("mairies", platform::fcm, "21231", 1, b)}),
            "listpack");
    }
}

}  // namespace
}  // namespace tocsin
