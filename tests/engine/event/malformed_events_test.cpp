#include "tests/support/malformed_events.hpp"

#include "engine/core/text.hpp"
#include "engine/event/event_parser.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/event/sample_events.hpp"
#include "tests/support/refusals.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using testing::malformed_event;
using testing::sample_entry;
using testing::sample_now;

parsed<publish_event> parse(const malformed_event& given) {
    return parse_event(known_platforms(), given.document, sample_entry, event_limits{}, sample_now);
}

TEST(MalformedEvents, AreMoreThanTwoHundredAndNamedApart) {
    std::set<std::string> names;
    for (const malformed_event& given : testing::malformed_events()) {
        EXPECT_TRUE(names.insert(given.name).second) << given.name;
    }
    EXPECT_GE(names.size(), 200U);
}

TEST(MalformedEvents, AreRefusedWithTheirCode) {
    for (const malformed_event& given : testing::malformed_events()) {
        const auto event = parse(given);
        ASSERT_FALSE(event) << given.name;
        EXPECT_EQ(event.error().code, given.expected_code) << given.name << ": " << event.error().message;
    }
}

TEST(MalformedEvents, DistinctFaultsHaveDistinctMessages) {
    std::map<std::string, std::string> name_by_message;
    for (const malformed_event& given : testing::malformed_events()) {
        const auto event = parse(given);
        ASSERT_FALSE(event) << given.name;
        const auto [other, fresh] = name_by_message.emplace(event.error().message, given.name);
        EXPECT_TRUE(fresh) << given.name << " and " << other->second << ": " << event.error().message;
    }
}

TEST(MalformedEvents, MessagesAreOneShortPrintableLine) {
    for (const malformed_event& given : testing::malformed_events()) {
        const std::string message = parse(given).error().message;
        EXPECT_LE(message.size(), 300U) << given.name;
        EXPECT_TRUE(is_utf8(message)) << given.name;
        EXPECT_TRUE(
            std::ranges::none_of(message, [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
            << given.name << ": " << message;
    }
}

TEST(MalformedEvents, EveryCodeOfTheParserIsMet) {
    // What only registrations, audiences, stream entries and files are refused for.
    const std::set<std::string_view> elsewhere{
        "missing_entry_field",
        "invalid_fid",
        "invalid_subscription_key",
        "token_and_subscription",
        "invalid_op",
        "token_and_fid",
        "empty_follow",
        "too_many_follows",
        "cannot_follow",
        "too_many_mutes",
        "invalid_environment",
        "registered_in_future",
        "unknown_commune",
        "unknown_epci",
        "unknown_department",
        "invalid_territories_file",
        "corrupt_audience",
        "invalid_kind",
        "invalid_batch",
        "empty_counts",
        "invalid_count"};
    std::set<std::string> met;
    for (const malformed_event& given : testing::malformed_events()) {
        met.insert(given.expected_code);
    }
    for (const refusal_row& entry : testing::all_refusals()) {
        EXPECT_NE(met.contains(std::string(entry.word)), elsewhere.contains(entry.word)) << entry.word;
    }
}

TEST(MalformedEvents, EventsForNowhereAreWellFormed) {
    for (const malformed_event& given : testing::events_for_nowhere()) {
        const auto event = parse(given);
        EXPECT_TRUE(event) << given.name << ": " << event.error().message;
    }
}

}  // namespace
}  // namespace tocsin
