#include "engine/platform/platform.hpp"

#include "engine/core/text.hpp"
#include "providers/known_platforms.hpp"

#include <set>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(Platform, NameAndLetterAreEachOnesOwn) {
    std::set<std::string_view> names;
    std::set<char> letters;
    for (const platform_row& row : platform_table) {
        EXPECT_TRUE(is_word(row.name, "")) << row.name;
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_TRUE(letters.insert(row.letter).second) << row.letter;
        EXPECT_GT(row.inhabitants_per_bucket, 0U) << row.name;
        EXPECT_EQ(parse_platform(row.name), row.id);
        EXPECT_EQ(to_string(row.id), row.name);
    }
    EXPECT_FALSE(parse_platform("hms"));
    EXPECT_FALSE(parse_platform(""));
    EXPECT_EQ(to_string(static_cast<platform>(99)), "unknown");
}

TEST(Platform, AllAreListedInASentence) {
    EXPECT_EQ(list_platforms("or"), "apns, fcm or webpush");
    EXPECT_EQ(list_platforms("and", "`", "`"), "`apns`, `fcm` and `webpush`");
}

TEST(PlatformTraits, StandInTheOrderOfTheEnumeration) {
    for (const platform_row& row : platform_table) {
        const platform_traits& traits = known_platforms()[row.id];
        EXPECT_EQ(traits.kind(), row.id);
        EXPECT_FALSE(traits.title().empty());
    }
}

TEST(PlatformTraits, EveryTokenBeginsInOneOfTheWaysThatAByteCanName) {
    for (const platform_row& row : platform_table) {
        const token_beginnings beginnings = known_platforms()[row.id].beginnings();
        ASSERT_FALSE(beginnings.empty()) << row.name;
        EXPECT_LT(beginnings.size(), 32U) << row.name;
        EXPECT_EQ(beginnings.back().before, "") << row.name;
        EXPECT_EQ(beginnings.back().after, "") << row.name;
    }
}

}  // namespace
}  // namespace tocsin
