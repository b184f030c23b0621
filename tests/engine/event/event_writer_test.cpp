#include "engine/event/event_writer.hpp"

#include "engine/event/event_parser.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/event/sample_events.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using testing::sample_entry;
using testing::sample_now;

TEST(EventWriter, WhatIsWrittenIsReadBackTheSame) {
    std::mt19937 random(20'261'123);
    for (int i = 0; i < 2'000; ++i) {
        const publish_event event = testing::random_event(random);
        const std::string document = to_json(event);
        const auto back = parse_event(known_platforms(), document, sample_entry, event_limits{}, sample_now);
        ASSERT_TRUE(back) << back.error().message << "\n" << document;
        ASSERT_EQ(*back, event) << document;
    }
}

TEST(EventWriter, WhatIsReadIsWrittenBackTheSame) {
    for (const std::string& document : testing::sample_documents()) {
        const auto event = parse_event(known_platforms(), document, sample_entry, event_limits{}, sample_now);
        ASSERT_TRUE(event) << event.error().message;
        const auto again =
            parse_event(known_platforms(), to_json(*event), sample_entry, event_limits{}, sample_now);
        ASSERT_TRUE(again) << again.error().message << "\n" << to_json(*event);
        EXPECT_EQ(*again, *event) << document;
    }
}

TEST(EventWriter, DefaultsAreLeftOut) {
    publish_event event;
    event.audience.push_back({.kind = selector_kind::commune, .value = "21231"});
    event.notification = notification{.title = "Crue"};
    EXPECT_EQ(to_json(event), R"({"audience":["commune:21231"],"notification":{"title":"Crue"}})");
}

}  // namespace
}  // namespace tocsin
