#include "engine/plan/whereabouts.hpp"

#include "engine/audience/roster_codec.hpp"
#include "engine/plan/ledger.hpp"
#include "tests/support/redis_fixture.hpp"

#include <string>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

const target mairies{"mairies", platform::fcm};
const territory dijon{*parse_commune_id("21231"), {}};
const territory beaune{*parse_commune_id("21054"), {}};

TEST(WhereaboutsTest, ADeviceIsOnThePageThatReadsItsBucket) {
    shard work;
    work.first_page = 5;
    work.runs = {{beaune, 1, 0, 10}, {dijon, 1, 40, 20}};
    const auto page_of = [&](const territory& where, std::uint32_t generation, std::uint32_t bucket) {
        return page_with(work, "token", device_place{where, generation, bucket});
    };
    EXPECT_EQ(page_of(beaune, 1, 9), 5U);
    EXPECT_EQ(page_of(dijon, 1, 42), 5U);  // The 13th bucket of the shard,
    EXPECT_EQ(page_of(dijon, 1, 43), 6U);  // and the 14th.
    EXPECT_EQ(page_of(dijon, 1, 59), 7U);
    EXPECT_EQ(page_of(dijon, 1, 60), std::nullopt);
    EXPECT_EQ(page_of(dijon, 1, 39), std::nullopt);
    EXPECT_EQ(page_of(dijon, 2, 43), std::nullopt);
    EXPECT_EQ(page_of(beaune, 1, 10), std::nullopt);
    EXPECT_EQ(page_with(work, "token", std::nullopt), std::nullopt);
    // That each bucket is on the page that runs_of_page() reads it for.
    for (std::uint32_t index = 0; index < page_count(work); ++index) {
        for (const bucket_run& run : runs_of_page(work, index)) {
            for (std::uint32_t bucket = run.first; bucket < run.first + run.count; ++bucket) {
                EXPECT_EQ(page_of(run.where, run.generation, bucket), work.first_page + index);
            }
        }
    }
}

class WhereaboutsInRedisTest : public testing::redis_fixture {
protected:
    void start(wave last = {}) {
        event_plan what;
        what.when.add(last);
        what.event = "crue";
        what.entry = "1-0";
        what.fields = {{"event", "{}"}};
        what.targets.push_back({mairies, {}});
        for (std::uint32_t i = 0; i < 450; ++i) {
            shard one;
            one.first_page = i;
            one.runs.push_back({dijon, 1, i * buckets_per_page, buckets_per_page});
            what.targets.back().shards.push_back(one);
        }
        what.pages = 450;
        ASSERT_EQ(run(book.plan(what, event_state::running)).value(), plan_outcome::created);
        ASSERT_TRUE(run(book.activate("crue", "1-0", priority::high, time.wall_now())).has_value());
    }
    whereabouts find(const std::string& token, std::uint32_t bucket) {
        return run(find_whereabouts(redis, keys, "crue", mairies, token, device_place{dijon, 1, bucket}))
            .value();
    }
    claim_answer claim(wall_time now) {
        claim_terms how;
        how.limit = 1;
        how.lease = 1h;
        return run(book.claim("crue", mairies, how, now)).value();
    }

    ledger book{redis, keys, "a"};
};

TEST_F(WhereaboutsInRedisTest, KnowsUntilWhenAPageWaitsThatHasAMomentOfItsOwn) {
    const wall_time morning = time.wall_now() + 9h;
    start({.first_page = 100, .pages = 350, .starts = morning});
    EXPECT_EQ(find("phone", 5).due, wall_time{});
    const auto waiting = find("other", 449 * buckets_per_page);
    EXPECT_EQ(waiting.stage, page_stage::not_begun);
    EXPECT_EQ(waiting.page, 449U);
    EXPECT_EQ(waiting.due, morning);
}

TEST_F(WhereaboutsInRedisTest, FollowsADeviceFromThePlanToItsOutcome) {
    start();
    const auto before = find("phone", 5);
    EXPECT_EQ(before.stage, page_stage::not_begun);
    EXPECT_EQ(before.page, 0U);
    EXPECT_EQ(find("other", 449 * buckets_per_page).page, 449U);

    const claimed_shard first = claim(time.wall_now()).shards.at(0);
    redis::request ask;
    ask_to_open(ask, keys, "crue", 0);
    ASSERT_TRUE(run(redis.execute(std::move(ask))).has_value());
    EXPECT_EQ(find("phone", 5).stage, page_stage::open);

    page_settlement what;
    what.event = "crue";
    what.which = mairies;
    what.shard_entry = first.entry;
    what.page = 0;
    what.devices = 2;
    listed_device waiting;
    waiting.commune = dijon.commune.value();
    waiting.token = "phone";
    waiting.entry = encode_roster_entry(device{});
    waiting.attempts = 3;
    waiting.maybe_sent = true;
    waiting.counted = true;
    const wall_time due = time.wall_now() + 60s;
    what.parked = {{due.time_since_epoch().count(), encode_listed(waiting)}};
    ASSERT_TRUE(run(book.settle(what)).has_value());
    const auto parked = find("phone", 5);
    EXPECT_EQ(parked.stage, page_stage::parked);
    EXPECT_EQ(parked.due, due);
    EXPECT_EQ(parked.attempts, 3U);
    EXPECT_TRUE(parked.maybe_sent);
    EXPECT_EQ(find("neighbour", 5).stage, page_stage::settled);

    // Its retry becomes a page of its own.
    claim(due);
    const auto again = find("phone", 5);
    EXPECT_EQ(again.stage, page_stage::not_begun);
    EXPECT_EQ(again.page, 450U);
}

TEST_F(WhereaboutsInRedisTest, ADeviceWhoseAnswerIsLateIsOpenThoughItsPageIsSettled) {
    start();
    const claimed_shard first = claim(time.wall_now()).shards.at(0);
    page_settlement what;
    what.event = "crue";
    what.which = mairies;
    what.shard_entry = first.entry;
    what.devices = 3;
    listed_device late;
    late.token = "neighbour";
    late.entry = encode_roster_entry(device{});
    late.maybe_sent = true;
    late.counted = true;
    std::string name = encode_listed(late);
    late.token = "phone";
    name += encode_listed(late);
    what.parked = {{late_score(time.wall_now() + 15s), name}};
    ASSERT_TRUE(run(book.settle(what)).has_value());
    for (const char* const token : {"phone", "neighbour"}) {
        const auto found = find(token, 5);
        EXPECT_EQ(found.stage, page_stage::open) << token;
        EXPECT_EQ(found.due, wall_time());
        EXPECT_TRUE(found.maybe_sent);
    }
    EXPECT_EQ(find("somebody", 5).stage, page_stage::settled);
}

}  // namespace
}  // namespace tocsin
