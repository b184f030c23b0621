#include "engine/core/text.hpp"

#include "engine/core/digest.hpp"
#include "engine/core/histogram.hpp"
#include "engine/core/rfc3339.hpp"
#include "engine/core/varint.hpp"

#include <array>
#include <map>
#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(Utf8, AcceptsWhatIsWellFormedAndNothingElse) {
    EXPECT_TRUE(is_utf8("Évitez les quais 🌊"));
    EXPECT_TRUE(is_utf8(""));
    for (const char* const broken :
         {"\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\x80", "a\xE2\x82"}) {
        EXPECT_FALSE(is_utf8(broken));
    }
}

TEST(Hex, ReadsBothCasesAndRefusesTheRest) {
    EXPECT_EQ(from_hex("00fFa0"), std::string("\x00\xFF\xA0", 3));
    EXPECT_EQ(to_hex(std::string("\x00\xFF\xA0", 3)), "00ffa0");
    EXPECT_FALSE(from_hex("abc"));
    EXPECT_FALSE(from_hex("zz"));
}

TEST(Base64Url, RoundTripsEveryLength) {
    std::string bytes;
    for (int length = 0; length < 70; ++length) {
        const auto back = from_base64url(base64url(bytes));
        ASSERT_TRUE(back.has_value());
        EXPECT_EQ(*back, bytes);
        bytes.push_back(static_cast<char>(length * 37));
    }
    EXPECT_FALSE(from_base64url("a+b"));
}

TEST(Nearest, FindsATypoAndNotAStranger) {
    constexpr std::array<std::string_view, 3> known{"key_file", "team_id", "topic"};
    EXPECT_EQ(nearest("key_fil", known), "key_file");
    EXPECT_EQ(nearest("teamid", known), "team_id");
    EXPECT_EQ(nearest("password", known), "");
}

TEST(Rfc3339, RoundTripsAndHonoursOffsets) {
    const auto utc = parse_rfc3339("2026-11-23T06:00:00.250Z");
    ASSERT_TRUE(utc.has_value());
    EXPECT_EQ(format_rfc3339(*utc), "2026-11-23T06:00:00.250Z");
    EXPECT_EQ(parse_rfc3339("2026-11-23T07:00:00.25+01:00"), utc);
    for (const char* const wrong :
         {"2026-11-23", "2026-02-30T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T06:00:00",
          "2026-11-23T06:00:00Zx"}) {
        EXPECT_FALSE(parse_rfc3339(wrong)) << wrong;
    }
}

TEST(LogLinear, KeepsEveryValueWithinASixteenth) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 100'000; ++i) {
        const std::uint64_t value = random() >> (24 + random() % 40);
        const std::size_t bucket = log_linear::index_of(value);
        const std::uint64_t upper = log_linear::upper_bound(bucket);
        ASSERT_GE(upper, value);
        ASSERT_LE(static_cast<double>(upper - value), static_cast<double>(value) / 16 + 1);
        ASSERT_EQ(log_linear::index_of(upper), bucket);
    }
}

TEST(Varint, RoundTripsAndStopsAtTheEndOfTheBytes) {
    std::string bytes;
    for (const std::uint64_t value : {0ULL, 127ULL, 128ULL, 1ULL << 40U, ~0ULL}) {
        bytes.clear();
        append_varint(bytes, value);
        std::string_view rest = bytes;
        EXPECT_EQ(take_varint(rest), value);
        EXPECT_TRUE(rest.empty());
    }
    std::string_view cut("\x80", 1);
    EXPECT_FALSE(take_varint(cut));
    std::string_view too_long(
        "\x05"
        "ab",
        3);
    EXPECT_FALSE(take_counted(too_long));
}

TEST(PushUuid, IsCanonicalStableAndDifferentForEachPush) {
    std::set<std::string> seen;
    for (int event = 0; event < 10; ++event) {
        for (int device = 0; device < 100; ++device) {
            std::string id(36, '\0');
            push_uuid(
                event_seed("event-" + std::to_string(event)), "token" + std::to_string(device), id.data());
            EXPECT_EQ(id.find_first_not_of("0123456789abcdef-"), std::string::npos);
            EXPECT_EQ(id[14], '8');
            EXPECT_TRUE(seen.insert(id).second);
        }
    }
    std::string again(36, '\0');
    push_uuid(event_seed("event-0"), "token0", again.data());
    EXPECT_TRUE(seen.contains(again));
}

TEST(TokenHash, SpreadsOverAllBuckets) {
    std::map<std::uint32_t, int> counts;
    for (int i = 0; i < 10'000; ++i) {
        ++counts[hash_token("token-" + std::to_string(i)).bucket(100)];
    }
    EXPECT_EQ(counts.size(), 100U);
    for (const auto& [bucket, count] : counts) {
        EXPECT_LT(bucket, 100U);
        EXPECT_GT(count, 50);
        EXPECT_LT(count, 170);
    }
}

}  // namespace
}  // namespace tocsin
