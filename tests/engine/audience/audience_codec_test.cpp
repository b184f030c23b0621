#include "engine/audience/audience.hpp"
#include "engine/event/selector.hpp"
#include "providers/known_platforms.hpp"

#include <random>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

audience resolve(std::initializer_list<std::string_view> texts) {
    static const territories france = territories::load({}).value();
    std::vector<selector> selectors;
    for (const std::string_view text : texts) {
        selectors.push_back(parse_selector(known_platforms(), text, "audience").value());
    }
    return audience::resolve(known_platforms(), selectors, france).value();
}

audience rich() {
    return resolve(
        {"commune:21231", "department:2A", "zone:21231:centre", "zone:21231:gare", "zone:59350:vieux-lille",
         "device:apns:00ff00ff00ff00ff00ff00ff00ff00ff", "device:fcm:cXJ0b2tlbg:APA91bFab_-"});
}

TEST(AudienceCodec, WhatIsWrittenIsReadBackTheSame) {
    for (const audience& whom :
         {audience(), resolve({"commune:21231"}), resolve({"everyone"}), resolve({"zone:21231:centre"}),
          rich()}) {
        const auto back = audience::decode(whom.encode());
        ASSERT_TRUE(back) << back.error().message;
        EXPECT_EQ(*back, whom);
        for (const commune_id id : whom.communes()) {
            ASSERT_TRUE(back->contains(id, {}));
        }
        for (const territory& zone : whom.zones()) {
            ASSERT_TRUE(back->contains(zone));
        }
    }
}

TEST(AudienceCodec, IsCompact) {
    EXPECT_LE(resolve({"commune:21231"}).encode().size(), 12U);
    EXPECT_LE(resolve({"everyone"}).encode().size(), 34'969U * 3 / 2);
}

TEST(AudienceCodec, EveryCutIsRefused) {
    const std::string bytes = rich().encode();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto back = audience::decode(std::string_view(bytes).substr(0, size));
        ASSERT_FALSE(back) << size;
        EXPECT_EQ(back.error().code, "corrupt_audience");
    }
    EXPECT_FALSE(audience::decode(bytes + '\0'));
}

TEST(AudienceCodec, HostileBytesAreRefusedOrAnAudience) {
    const std::string good = rich().encode();
    std::mt19937 random(3);
    std::size_t refused = 0;
    for (int i = 0; i < 10'000; ++i) {
        std::string bytes = good;
        for (std::size_t change = 0, count = 1 + random() % 4; change < count; ++change) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        const auto back = audience::decode(bytes);
        if (!back) {
            ++refused;
            continue;
        }
        // Whatever was accepted is an audience like any other.
        EXPECT_TRUE(std::ranges::is_sorted(back->communes()));
        EXPECT_TRUE(
            std::ranges::all_of(back->communes(), [](commune_id id) { return is_commune_id(id.value()); }));
        const auto again = audience::decode(back->encode());
        ASSERT_TRUE(again);
        EXPECT_EQ(*again, *back);
    }
    EXPECT_GT(refused, 1'000U);
}

TEST(AudienceCodec, CountsAreNotBelieved) {
    const std::string huge("\x01\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 11);
    EXPECT_FALSE(audience::decode(huge));
    EXPECT_FALSE(audience::decode(std::string("\x02\x00\x00\x00\x00", 5)));
    EXPECT_FALSE(audience::decode(std::string("\x01\x02\x00\x00\x00", 5)));
    EXPECT_TRUE(audience::decode(std::string("\x01\x00\x00\x00\x00", 5)));
}

}  // namespace
}  // namespace tocsin
