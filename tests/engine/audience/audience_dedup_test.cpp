#include "engine/audience/audience.hpp"
#include "engine/event/selector.hpp"
#include "providers/known_platforms.hpp"

#include <random>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

const territories& france() {
    static const territories loaded = territories::load({}).value();
    return loaded;
}

audience resolve(const std::vector<std::string>& texts) {
    std::vector<selector> selectors;
    for (const std::string& text : texts) {
        selectors.push_back(parse_selector(known_platforms(), text, "audience").value());
    }
    return audience::resolve(known_platforms(), selectors, france()).value();
}

std::vector<territory> follows(std::initializer_list<std::string_view> texts) {
    std::vector<territory> out;
    for (const std::string_view text : texts) {
        out.push_back(parse_territory(text).value());
    }
    std::ranges::sort(out);
    return out;
}

TEST(AudienceDedup, OnlyTheFirstFollowedTerritoryOfTheAudienceCounts) {
    const audience whom = resolve({"commune:21054", "commune:21231", "zone:21231:centre"});
    const auto device = follows({"21231", "21054", "21231:centre"});
    EXPECT_TRUE(is_first_match(whom, device, *parse_territory("21054")));
    EXPECT_FALSE(is_first_match(whom, device, *parse_territory("21231")));
    EXPECT_FALSE(is_first_match(whom, device, *parse_territory("21231:centre")));
}

TEST(AudienceDedup, WhatIsNotInTheAudienceIsPassedOver) {
    const audience whom = resolve({"zone:21231:centre"});
    const auto device = follows({"21054", "21231", "21231:centre"});
    EXPECT_TRUE(is_first_match(whom, device, *parse_territory("21231:centre")));
    EXPECT_FALSE(is_first_match(whom, device, *parse_territory("21054")));
}

TEST(AudienceDedup, WhoFollowsNothingOfTheAudienceIsNotSentTo) {
    const audience whom = resolve({"commune:59350"});
    EXPECT_FALSE(is_first_match(whom, follows({"21231"}), *parse_territory("21231")));
    EXPECT_FALSE(is_first_match(whom, {}, *parse_territory("59350")));
}

TEST(AudienceDedup, EveryDeviceIsSentToOnceFromOneOfItsTerritories) {
    std::mt19937 random(7);
    const auto all = france().all();
    const auto any = [&] {
        const commune& one = all[random() % 60];  // Few, so that lists and audiences overlap.
        territory where{.commune = one.id};
        if (random() % 3 == 0) {
            where.zone = std::string(1, static_cast<char>('a' + random() % 3));
        }
        return where;
    };
    std::size_t reached = 0;
    for (int round = 0; round < 5'000; ++round) {
        std::vector<std::string> selectors;
        for (std::size_t i = 0, count = 1 + random() % 20; i < count; ++i) {
            selectors.push_back(selector_of(any()));
        }
        const audience whom = resolve(selectors);
        std::vector<territory> device;
        for (std::size_t i = 0, count = 1 + random() % 8; i < count; ++i) {
            device.push_back(any());
        }
        std::ranges::sort(device);
        const auto rest = std::ranges::unique(device);
        device.erase(rest.begin(), rest.end());

        const bool matched =
            std::ranges::any_of(device, [&](const territory& where) { return whom.contains(where); });
        const auto times = std::ranges::count_if(device, [&](const territory& where) {
            return whom.contains(where) && is_first_match(whom, device, where);
        });
        ASSERT_EQ(times, matched ? 1 : 0);
        reached += matched ? 1 : 0;
    }
    EXPECT_GT(reached, 500U);
    EXPECT_LT(reached, 4'900U);
}

}  // namespace
}  // namespace tocsin
