#include "engine/core/rfc3339.hpp"
#include "engine/event/event_parser.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/event/sample_events.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::sample_entry;
using testing::sample_now;

constexpr wall_time entry_time{1'795'413'539'000ms};

parsed<publish_event> parse(const std::string& members, std::string_view entry = sample_entry) {
    return parse_event(
        known_platforms(),
        R"({"audience":["everyone"],"notification":{"title":"a"})" + (members.empty() ? "" : "," + members) +
            "}",
        entry, event_limits{}, sample_now);
}

wall_time expiry(const std::string& members, std::string_view entry = sample_entry) {
    const auto event = parse(members, entry);
    EXPECT_TRUE(event) << event.error().message;
    return event ? event->expires_at : wall_time{};
}

std::string code_of(const std::string& members) {
    const auto event = parse(members);
    return event ? "accepted" : event.error().code;
}

TEST(EventTimes, TtlCountsFromPublicationHoweverLateItIsRead) {
    EXPECT_EQ(expiry(R"("ttl":60)"), entry_time + 60s);
    EXPECT_EQ(expiry(R"("ttl":60)", "1795000000000-7"), wall_time(1'795'000'000'000ms) + 60s);
}

TEST(EventTimes, TtlCountsFromSendAtIfThereIsOne) {
    EXPECT_EQ(
        expiry(R"("ttl":60,"send_at":"2026-11-23T07:00:00+01:00")"), *parse_rfc3339("2026-11-23T06:01:00Z"));
    EXPECT_EQ(expiry(R"("send_at":1795413600)"), wall_time(1'795'413'600s) + 4h);
}

TEST(EventTimes, DefaultTtlIsTheOperators) {
    event_limits limits;
    limits.default_ttl = 10min;
    const auto event = parse_event(
        known_platforms(), R"({"audience":["everyone"],"data":{"a":"b"}})", sample_entry, limits, sample_now);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->expires_at, entry_time + 10min);
    EXPECT_EQ(expiry(""), entry_time + 4h);
}

TEST(EventTimes, EntryIdThatIsNoTimeCountsAsNow) {
    EXPECT_EQ(expiry(R"("ttl":60)", "7-1"), sample_now + 60s);
    EXPECT_EQ(expiry(R"("ttl":60)", "99999999999999999-1"), sample_now + 60s);
    EXPECT_EQ(expiry(R"("ttl":60)", "retry"), sample_now + 60s);
}

// One id ahead of the clock, or a jump of the clock of Redis, and every later entry is numbered from there.
TEST(EventTimes, AnEntryAheadOfTheClockLivesFromNowOnWhateverItsLifeIsSaidBy) {
    for (const std::chrono::milliseconds ahead : {1ms, 4'000ms, 86'400'000ms, 20 * 31'557'600'000ms}) {
        const std::string entry = std::to_string((sample_now + ahead).time_since_epoch().count()) + "-3";
        EXPECT_EQ(expiry(R"("ttl":60)", entry), sample_now + 60s) << entry;
        EXPECT_EQ(expiry("", entry), sample_now + 4h) << entry;
        EXPECT_EQ(expiry(R"("ttl":60,"send_at":1795413600)", entry), wall_time(1'795'413'660s)) << entry;
        const auto at = [](wall_time when) {
            return std::to_string(std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count());
        };
        EXPECT_TRUE(parse("\"expires_at\":" + at(sample_now + event_limits::max_ttl), entry)) << entry;
        EXPECT_FALSE(parse("\"expires_at\":" + at(sample_now + event_limits::max_ttl + 1s), entry)) << entry;
        EXPECT_TRUE(parse(R"("ttl":60,"spread":59)", entry)) << entry;
    }
}

TEST(EventTimes, ExpiryIsRfc3339OrUnixSeconds) {
    EXPECT_EQ(
        expiry(R"("expires_at":"2026-11-23T08:00:00.250Z")"), *parse_rfc3339("2026-11-23T08:00:00.250Z"));
    EXPECT_EQ(expiry(R"("expires_at":1795420000)"), wall_time(1'795'420'000s));
}

TEST(EventTimes, AnExpiryInThePastIsNoRefusal) {
    EXPECT_EQ(expiry(R"("expires_at":1000)"), wall_time(1'000s));
    EXPECT_EQ(expiry(R"("ttl":1)", "1600000000000-0"), wall_time(1'600'000'001s));
}

TEST(EventTimes, TtlIsAtMost28Days) {
    EXPECT_EQ(code_of(R"("ttl":2419200)"), "accepted");
    EXPECT_EQ(code_of(R"("ttl":2419201)"), "ttl_too_long");
    EXPECT_EQ(code_of("\"expires_at\":" + std::to_string(1'795'413'539 + 2'419'200)), "accepted");
    EXPECT_EQ(code_of("\"expires_at\":" + std::to_string(1'795'413'539 + 2'419'201)), "ttl_too_long");
}

TEST(EventTimes, SendAtIsAtMost30DaysAhead) {
    const std::int64_t limit = 1'795'413'540 + 30 * 86'400;
    EXPECT_EQ(code_of("\"send_at\":" + std::to_string(limit)), "accepted");
    EXPECT_EQ(code_of("\"send_at\":" + std::to_string(limit + 1)), "send_at_too_far");
}

TEST(EventTimes, SendAtInThePastMeansNow) {
    const auto event = parse(R"("send_at":"2026-11-23T05:00:00Z","ttl":7200)");
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->send_at, *parse_rfc3339("2026-11-23T05:00:00Z"));
    EXPECT_EQ(event->expires_at, *parse_rfc3339("2026-11-23T07:00:00Z"));
}

TEST(EventTimes, TtlAndExpiresAtExcludeEachOther) {
    EXPECT_EQ(code_of(R"("ttl":60,"expires_at":1795420000)"), "ttl_and_expires_at");
}

TEST(EventTimes, ExpiryBeforeSendAtIsAMistake) {
    EXPECT_EQ(code_of(R"("send_at":1795420000,"expires_at":1795420000)"), "expires_before_send_at");
    EXPECT_EQ(code_of(R"("send_at":1795420000,"expires_at":1795420001)"), "accepted");
}

}  // namespace
}  // namespace tocsin
