#include "engine/audience/audience.hpp"

#include "engine/event/event_parser.hpp"
#include "engine/event/selector.hpp"
#include "providers/known_platforms.hpp"
#include "tests/support/malformed_events.hpp"

#include <initializer_list>
#include <set>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

const territories& france() {
    static const territories loaded = territories::load({}).value();
    return loaded;
}

parsed<audience> resolve(std::initializer_list<std::string_view> texts) {
    std::vector<selector> selectors;
    for (const std::string_view text : texts) {
        selectors.push_back(parse_selector(known_platforms(), text, "audience").value());
    }
    return audience::resolve(known_platforms(), selectors, france());
}

territory at(std::string_view text) {
    return parse_territory(text).value();
}

TEST(Audience, CommunesAreOrderedAndHeldOnce) {
    const auto whom = resolve({"commune:21231", "commune:2A004", "commune:01001", "commune:21231"});
    ASSERT_TRUE(whom) << whom.error().message;
    ASSERT_EQ(whom->communes().size(), 3U);
    EXPECT_TRUE(std::ranges::is_sorted(whom->communes()));
    EXPECT_FALSE(whom->everyone());
    EXPECT_TRUE(whom->contains(at("2A004")));
    EXPECT_FALSE(whom->contains(at("2A006")));
}

TEST(Audience, EpciAndDepartmentStandForTheirCommunes) {
    const auto whom = resolve({"epci:242100410", "department:59", "commune:59350"});
    ASSERT_TRUE(whom) << whom.error().message;
    EXPECT_EQ(whom->communes().size(), 23U + 647U);
    EXPECT_TRUE(whom->contains(at("21231")));
    EXPECT_TRUE(whom->contains(at("59350")));
    EXPECT_FALSE(whom->contains(at("62041")));
}

TEST(Audience, EveryoneIsEveryCommuneThatIsKnown) {
    const auto whom = resolve({"everyone", "commune:21231"});
    ASSERT_TRUE(whom) << whom.error().message;
    EXPECT_TRUE(whom->everyone());
    EXPECT_EQ(whom->communes().size(), france().all().size());
    for (const commune& one : france().all()) {
        ASSERT_TRUE(whom->contains(one.id, {})) << one.name;
    }
    // Nobody reads the roster of such a commune, so it must not be what a device is first matched by.
    EXPECT_FALSE(whom->contains(at("21999")));
}

TEST(Audience, ZonesAreTerritoriesOfTheirOwn) {
    const auto whom = resolve({"zone:21231:gare", "zone:21231:centre", "zone:21231:gare"});
    ASSERT_TRUE(whom) << whom.error().message;
    ASSERT_EQ(whom->zones().size(), 2U);
    EXPECT_EQ(whom->zones()[0].zone, "centre");
    EXPECT_TRUE(whom->contains(at("21231:gare")));
    EXPECT_FALSE(whom->contains(at("21231:port")));
    EXPECT_FALSE(whom->contains(at("21231")));

    const auto commune = resolve({"commune:21231"});
    ASSERT_TRUE(commune);
    EXPECT_FALSE(commune->contains(at("21231:centre")));
    const auto everyone = resolve({"everyone"});
    ASSERT_TRUE(everyone);
    EXPECT_FALSE(everyone->contains(at("21231:centre")));
}

TEST(Audience, DevicesAreAsTheStoreKeepsThem) {
    const auto whom = resolve(
        {"device:apns:00ff00ff00ff00ff00ff00ff00ff00ff", "device:fcm:cXJ0b2tlbg:APA91bFab_-",
         "device:apns:00FF00FF00FF00FF00FF00FF00FF00FF"});
    ASSERT_TRUE(whom) << whom.error().message;
    ASSERT_EQ(whom->devices().size(), 2U);
    EXPECT_EQ(whom->devices()[0].on, platform::apns);
    EXPECT_EQ(whom->devices()[0].token.size(), 16U);
    EXPECT_EQ(whom->devices()[1].token, "cXJ0b2tlbg:APA91bFab_-");
    EXPECT_TRUE(whom->communes().empty());
    EXPECT_FALSE(whom->contains(at("21231")));
}

TEST(Audience, ANumberThatIsNoCodeIsNowhere) {
    const auto whom = resolve({"everyone"});
    ASSERT_TRUE(whom);
    std::size_t found = 0;
    for (std::uint32_t number = 0; number < (1U << 26U); ++number) {
        found += whom->contains(commune_id(number), {}) ? 1 : 0;
    }
    EXPECT_EQ(found, france().all().size());
    EXPECT_FALSE(whom->contains(commune_id(UINT32_MAX), {}));
}

TEST(Audience, WhatDoesNotExistIsRefusedWithAHint) {
    std::set<std::string> messages;
    for (const auto& given : testing::events_for_nowhere()) {
        const auto event = parse_event(
            known_platforms(), given.document, "1795413539000-0", event_limits{},
            wall_time(std::chrono::milliseconds(1)));
        ASSERT_TRUE(event) << given.name;
        const auto whom = audience::resolve(known_platforms(), event->audience, france());
        ASSERT_FALSE(whom) << given.name;
        EXPECT_EQ(whom.error().code, given.expected_code) << given.name;
        EXPECT_TRUE(messages.insert(whom.error().message).second) << whom.error().message;
    }
    EXPECT_TRUE(messages.contains("audience: no EPCI \"242100411\"; did you mean \"242100410\"?"));
    EXPECT_TRUE(messages.contains("audience: no commune \"21000\"; is it a postal code?"));
    EXPECT_TRUE(messages.contains(
        "audience: no commune \"75101\"; Paris is \"75056\" as a whole, its arrondissements can be zones"));
}

}  // namespace
}  // namespace tocsin
