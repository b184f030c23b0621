#include "engine/event/publish_event.hpp"

#include "engine/core/text.hpp"
#include "tests/support/refusals.hpp"

#include <set>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(PublishEvent, NamesAreReadBack) {
    for (const auto value : {platform::apns, platform::fcm}) {
        EXPECT_EQ(parse_platform(to_string(value)), value);
    }
    for (const auto value : {priority::critical, priority::high, priority::normal, priority::low}) {
        EXPECT_EQ(parse_priority(to_string(value)), value);
    }
    for (const auto value : {delivery_mode::actual, delivery_mode::dry_run}) {
        EXPECT_EQ(parse_delivery_mode(to_string(value)), value);
    }
    for (std::size_t i = 0; i < selector_kind_count; ++i) {
        EXPECT_EQ(
            parse_selector_kind(to_string(static_cast<selector_kind>(i))), static_cast<selector_kind>(i));
    }
    EXPECT_FALSE(parse_platform("hms"));
    EXPECT_FALSE(parse_priority("High"));
    EXPECT_FALSE(parse_delivery_mode(""));
    EXPECT_FALSE(parse_selector_kind("region"));
}

TEST(PublishEvent, CollapseIdIsDerivedFromTheId) {
    publish_event event;
    event.id = "crue-ouche";
    const std::string derived = event.effective_collapse_id();
    EXPECT_EQ(derived.size(), 7U + 16U);
    EXPECT_TRUE(derived.starts_with("tocsin-"));
    EXPECT_EQ(event.effective_collapse_id(), derived);
    event.id = "crue-ouche-2";
    EXPECT_NE(event.effective_collapse_id(), derived);
    event.collapse_id = "crue";
    EXPECT_EQ(event.effective_collapse_id(), "crue");
}

TEST(PublishEvent, ADryRunAsksNoProviderUnlessItIsToValidateIt) {
    publish_event event;
    EXPECT_FALSE(event.skips_provider(platform::apns));
    event.mode = delivery_mode::dry_run;
    EXPECT_TRUE(event.skips_provider(platform::apns));
    EXPECT_TRUE(event.skips_provider(platform::fcm));
    event.validated[static_cast<std::size_t>(platform::fcm)] = true;
    EXPECT_TRUE(event.skips_provider(platform::apns));
    EXPECT_FALSE(event.skips_provider(platform::fcm));
}

TEST(RefusalCodes, AreDistinctLabels) {
    std::set<std::string_view> words;
    for (const refusal_row& entry : testing::all_refusals()) {
        EXPECT_TRUE(words.insert(entry.word).second) << entry.word;
        EXPECT_TRUE(is_word(entry.word, "_")) << entry.word;
        EXPECT_FALSE(entry.meaning.empty()) << entry.word;
    }
}

}  // namespace
}  // namespace tocsin
