#include "engine/audience/device_store.hpp"

#include "engine/audience/roster_codec.hpp"
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

TEST_F(DeviceStoreTest, KeepsRostersInRedisCompactForm) {
    std::vector<device_change> changes;
    for (int i = 0; i < 350; ++i) {
        changes.push_back(put("device-" + std::to_string(i), {place("21231")}));
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
