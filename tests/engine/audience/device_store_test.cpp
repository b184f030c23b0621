#include "engine/audience/device_store.hpp"

#include "engine/audience/compact_form.hpp"
#include "engine/audience/roster_codec.hpp"
#include "engine/core/digest.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/audience/device_changes.hpp"
#include "tests/support/redis_fixture.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <map>
#include <random>
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
        [](commune_id) { return 5 * row_of(platform::fcm).inhabitants_per_bucket; },
        [](std::string_view) { return 10'000ULL; }};
    static constexpr std::uint32_t browser_buckets =
        5 * row_of(platform::fcm).inhabitants_per_bucket / row_of(platform::webpush).inhabitants_per_bucket;
    device_store store{redis, keys, known_platforms(), sizing};
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
    device_store other(redis, keys, known_platforms(), sizing);
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

TEST_F(DeviceStoreTest, FollowersOfCommunesThatAreNoMoreAreFound) {
    apply(
        {put("alice", {place("01033"), place("21231")}), put("bob", {place("01033")}),
         put("carol", {place("01033", "bourg")}), put("dave", {place("21231")}),
         put("erin", {place("01039")})});
    apply({removal("erin")});
    const auto outside = run(store.followers_outside("mairies", platform::fcm, [](commune_id id) {
                             return id == *parse_commune_id("21231");
                         })).value();
    ASSERT_EQ(outside.size(), 2U);
    EXPECT_EQ(outside[0].where, place("01033"));
    EXPECT_EQ(outside[0].devices, 2U);
    EXPECT_EQ(outside[1].where, place("01033", "bourg"));
    EXPECT_EQ(outside[1].devices, 1U);
}

TEST_F(DeviceStoreTest, GuardedPutSparesWhatRegisteredAgainAndBringsNothingBack) {
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

/// All that Redis holds, to be put back later: what a restart from an older snapshot does.
class DeviceStoreHistoryTest : public DeviceStoreTest {
protected:
    void keep_in_memory() {
        kept.clear();
        redis::request ask;
        ask.add("KEYS", "*");
        const auto names = run(redis.execute(std::move(ask))).value();
        for (std::size_t i = 0; i < names.front().size(); ++i) {
            redis::request dump;
            dump.add("DUMP", names.front()[i].text());
            kept.emplace_back(
                names.front()[i].text(),
                std::string(run(redis.execute(std::move(dump))).value().front().text()));
        }
    }
    void lose() {
        redis::request ask;
        ask.add("FLUSHALL");
        for (const auto& [name, value] : kept) {
            ask.add("RESTORE", name, 0, value);
        }
        ASSERT_FALSE(run(redis.execute(std::move(ask))).value().first_error());
    }
    /// The devices that an event to every roster would find.
    std::map<std::string, int> found_by_events() { return roster_entries(); }

    std::vector<std::pair<std::string, std::string>> kept;
};

TEST_F(DeviceStoreHistoryTest, WhoRegistersAfterRedisHasLostEverythingIsFound) {
    apply({put("first", {place("21231")})});
    lose();
    std::vector<device_change> changes;
    for (int i = 0; i < 100; ++i) {
        changes.push_back(put("later-" + std::to_string(i), {place("21231")}));
    }
    apply(std::move(changes));
    EXPECT_EQ(found_by_events().size(), 100U);
    EXPECT_EQ(run(store.count("mairies", platform::fcm)).value(), 100U);
}

TEST_F(DeviceStoreHistoryTest, WhateverRedisLosesWhoRegistersAfterwardsIsFoundWhereverItFollows) {
    std::minstd_rand random(20'261'129);
    const std::vector<territory> places{
        place("21231"), place("21054"), place("21166"), place("21231", "centre"), place("71076")};
    // Another process on the same Redis, which may size what it makes otherwise.
    store_sizing wider = sizing;
    wider.population = [](commune_id) { return 9 * row_of(platform::fcm).inhabitants_per_bucket; };
    wider.population_served = [](std::string_view) { return 30'000ULL; };
    device_store other(redis, keys, known_platforms(), wider);
    std::map<std::string, std::size_t> since;  // Who registered since the last loss, and how much it follows.
    for (int round = 0; round < 300; ++round) {
        const auto chance = random() % 20;
        if (chance == 0) {
            keep_in_memory();
        } else if (chance == 1) {
            lose();
            since.clear();
        } else if (chance == 2) {
            kept.clear();
        }
        const std::string token = "device-" + std::to_string(random() % 60);
        device_store& by = random() % 2 == 0 ? store : other;
        if (random() % 4 == 0) {
            ASSERT_TRUE(run(by.apply({removal(token)})).has_value());
            since.erase(token);
            EXPECT_FALSE(found_by_events().contains(token));
        } else {
            std::vector<territory> follow{places[random() % 5], places[random() % 5]};
            std::ranges::sort(follow);
            follow.erase(std::unique(follow.begin(), follow.end()), follow.end());
            since[token] = follow.size();
            ASSERT_TRUE(run(by.apply({put(token, follow)})).has_value());
        }
    }
    const auto found = found_by_events();
    for (const auto& [token, follows] : since) {
        ASSERT_TRUE(found.contains(token)) << token;
        EXPECT_EQ(static_cast<std::size_t>(found.at(token)), follows) << token;
    }
}

TEST_F(DeviceStoreHistoryTest, ADamagedHeadIsNotNobodyAndConcernsNobodyElse) {
    for (const std::string head : {"1:4294967295", "1:0", "x", "", "0:5"}) {
        server.cli({"HSET", keys.rosters("mairies"), "fcm:21231", head});
        const auto asked =
            run(store.rosters_of("mairies", platform::fcm, {place("21054"), place("21231")})).value();
        EXPECT_EQ(asked.damaged, std::vector<std::string>{"fcm:21231"});
        EXPECT_EQ(
            run(store.all_rosters("mairies", platform::fcm)).value().damaged,
            std::vector<std::string>{"fcm:21231"});
        EXPECT_EQ(
            run(store.apply({put("alice", {place("21231")}), put("bob", {place("21054")})})).value()[0],
            change_outcome::damaged);
        EXPECT_TRUE(run(store.find("mairies", platform::fcm, "bob")).value().has_value()) << "others go on";
    }
}

TEST_F(DeviceStoreHistoryTest, ADamagedRecordConcernsItsDeviceAlone) {
    apply({put("alice", {place("21054")}), put("bob", {place("21054")})});
    const std::string index = server.cli({"HGET", keys.rosters("mairies"), "index"});
    const token_hash alice = hash_token("alice");
    const std::uint32_t buckets = decode_roster_head(index)->buckets;
    const std::string key = keys.index_bucket("mairies", platform::fcm, alice.bucket(buckets));
    const auto register_both = [&] {
        return run(store.apply({put("alice", {place("21231")}), put("carol", {place("21054")})})).value();
    };
    redis::request spoil;
    spoil.add("HSET", key, alice.view(), "\x01");
    ASSERT_FALSE(run(redis.execute(std::move(spoil))).value().first_error());
    EXPECT_EQ(register_both()[0], change_outcome::damaged);
    EXPECT_TRUE(run(store.find("mairies", platform::fcm, "carol")).value().has_value());
    server.cli({"DEL", key});
    server.cli({"SET", key, "no hash"});
    EXPECT_EQ(register_both()[0], change_outcome::damaged);
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
    EXPECT_TRUE(run(store.rosters_of("mairies", platform::fcm, {place("21231")})).has_error());
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
        hash.within_bucket(),
        encode_roster_record(put("mallory", {place("21231")}).which, no_common_beginning));
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

/// A browser of Chrome's: the longest endpoints of those that are common.
device_change browser(int number) {
    std::string token = std::to_string(number) + "APA91b";
    token.resize(140, 'x');
    device_change out = put("https://fcm.googleapis.com/fcm/send/dGVzdDEyMzQ:" + token, {place("21231")});
    out.where = platform::webpush;
    out.which.keys = std::string(80, static_cast<char>(number));
    return out;
}

TEST_F(DeviceStoreTest, ABrowserThatWasStoredWithItsWholeEndpointIsFoundReplacedAndRemoved) {
    const device_change known = browser(1);
    const std::string& token = known.which.token;
    apply({known});
    std::string entry = encode_roster_entry(known.which);
    entry[0] = static_cast<char>(entry[0] & ~64);
    const token_hash hash = hash_token(token);
    const auto write_as_before = [&] {
        redis::request what;
        what.add(
            "HSET",
            keys.roster_bucket("mairies", platform::webpush, "21231", 1, hash.bucket(browser_buckets)),
            hash.within_bucket(), encode_roster_record(token, entry, no_common_beginning));
        ASSERT_FALSE(run(redis.execute(std::move(what))).value().first_error());
    };
    write_as_before();
    const auto found = run(store.find("mairies", platform::webpush, token)).value();
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->which.keys, known.which.keys);
    EXPECT_EQ(found->entry, entry);

    // It died: what is removed is what the event was sent to.
    device_change dead = known;
    dead.what = device_change::action::remove;
    dead.only_if_entry = entry;
    EXPECT_EQ(apply({dead}), std::vector{change_outcome::removed});

    apply({known});
    write_as_before();
    EXPECT_EQ(apply({known}), std::vector{change_outcome::replaced});
    EXPECT_EQ(
        run(store.find("mairies", platform::webpush, token)).value()->entry,
        encode_roster_entry(known.which));
    device_change gone = known;
    gone.what = device_change::action::remove;
    EXPECT_EQ(apply({gone}), std::vector{change_outcome::removed});
    EXPECT_FALSE(run(store.find("mairies", platform::webpush, token)).value().has_value());
}

TEST_F(DeviceStoreTest, ABrowserTakesThreeHundredBytesOfRedis) {
    run(prefer_compact(redis));
    constexpr int devices = 2'000;
    std::vector<device_change> changes;
    for (int i = 0; i < devices; ++i) {
        changes.push_back(browser(i));
    }
    apply(std::move(changes));
    std::size_t bytes = 0;
    for (std::uint32_t b = 0; b < browser_buckets; ++b) {
        const std::string key = keys.roster_bucket("mairies", platform::webpush, "21231", 1, b);
        EXPECT_EQ(server.cli({"OBJECT", "ENCODING", key}), "listpack");
        bytes += std::stoull(server.cli({"MEMORY", "USAGE", key}));
    }
    for (std::uint32_t b = 0; b < 10'000 / inhabitants_per_index_bucket; ++b) {
        bytes +=
            std::stoull(server.cli({"MEMORY", "USAGE", keys.index_bucket("mairies", platform::webpush, b)}));
    }
    device_change longest = browser(devices);
    longest.which.token = "https://push.example.org/" + std::string(1'536 - 25, 'x');
    longest.which.locale = "fr-FR";
    longest.which.mute = {"agenda", "voirie"};
    const std::uint32_t bucket = hash_token(longest.which.token).bucket(browser_buckets);
    apply({longest});
    EXPECT_EQ(
        server.cli(
            {"OBJECT", "ENCODING", keys.roster_bucket("mairies", platform::webpush, "21231", 1, bucket)}),
        "listpack");
    RecordProperty("bytes_of_redis_per_device", static_cast<int>(bytes / devices));
    EXPECT_LT(bytes / devices, 320U) << "152 of them are the endpoint's own, 80 the keys'";
}

}  // namespace
}  // namespace tocsin
