#include "engine/ops/log_format.hpp"

#include "engine/core/text.hpp"

#include <boost/json/parse.hpp>

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr wall_time when{std::chrono::milliseconds(1'795'000'000'250)};

std::string json(std::string_view event, std::initializer_list<log_field> fields) {
    return format_log_line(
        log_format::json, when, log_level::warning, event, {fields.begin(), fields.size()});
}
std::string text(std::string_view event, std::initializer_list<log_field> fields) {
    return format_log_line(
        log_format::text, when, log_level::warning, event, {fields.begin(), fields.size()});
}

TEST(LogFormatTest, JsonLineHasTimeLevelEventAndTypedFields) {
    EXPECT_EQ(
        json("shard.taken_over", {{"shard", 12}, {"app", "mairies"}, {"age", 1.5}}),
        R"({"ts":"2026-11-18T11:06:40.250Z","level":"warning","event":"shard.taken_over",)"
        R"("shard":12,"app":"mairies","age":1.500000})"
        "\n");
}

TEST(LogFormatTest, TextLineQuotesWhatIsNoWord) {
    EXPECT_EQ(
        text(
            "shard.taken_over",
            {{"shard", 12}, {"why", "no answer"}, {"empty", ""}, {"url", "https://x:1/y"}}),
        "2026-11-18T11:06:40.250Z WARNING shard.taken_over shard=12 why=\"no answer\" empty=\"\" "
        "url=https://x:1/y\n");
}

TEST(LogFormatTest, ColourIsAroundTheLevelOnly) {
    const std::string line = format_log_line(log_format::colour_text, when, log_level::error, "e", {});
    EXPECT_EQ(line, "2026-11-18T11:06:40.250Z \x1b[1;31mERROR  \x1b[0m e\n");
}

TEST(LogFormatTest, NumbersThatJsonLacksBecomeTexts) {
    const double infinite = std::numeric_limits<double>::infinity();
    EXPECT_THAT(json("e", {{"x", infinite}}), HasSubstr(R"("x":"inf")"));
    EXPECT_THAT(json("e", {{"x", -infinite}}), HasSubstr(R"("x":"-inf")"));
    EXPECT_THAT(json("e", {{"x", std::numeric_limits<double>::quiet_NaN()}}), HasSubstr("nan\""));
    EXPECT_THAT(json("e", {{"x", -3}}), HasSubstr(R"("x":-3})"));
}

TEST(LogFormatTest, FieldThatIsCalledLikeOursDoesNotHideIt) {
    EXPECT_THAT(json("e", {{"level", "x"}}), HasSubstr(R"("level":"warning","event":"e","level_":"x")"));
}

TEST(LogFormatTest, HostileValuesStayOnOneHarmlessLine) {
    const std::string hostile("a\nb\r\x1b[2J\x07\0z\x7f\"\\", 14);
    const std::string bidirectional =
        "\xE2\x80\xAE"
        "drowssap";
    const std::string c1 =
        "\xC2\x9B"
        "31m";
    for (const std::string& line :
         {json("e", {{"x", hostile}, {"y", bidirectional}, {"z", c1}}),
          text("e", {{"x", hostile}, {"y", bidirectional}, {"z", c1}})}) {
        EXPECT_EQ(std::ranges::count(line, '\n'), 1);
        EXPECT_EQ(line.back(), '\n');
        EXPECT_TRUE(std::ranges::none_of(line.substr(0, line.size() - 1), [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
        }));
        EXPECT_THAT(line, HasSubstr("\\u202e"));
        EXPECT_THAT(line, HasSubstr("\\u009b31m"));
        EXPECT_THAT(line, HasSubstr("\\u001b[2J"));
    }
}

TEST(LogFormatTest, JsonGivesTheValueBackUnchanged) {
    const std::string value = "é\t\"quoted\" \\ \x1b \xF0\x9F\x94\x94\n";
    const auto parsed_line = boost::json::parse(json("e", {{"x", value}}));
    EXPECT_EQ(parsed_line.at("x").as_string(), value);
}

TEST(LogFormatTest, BytesThatAreNotUtf8AreReplaced) {
    for (const std::string& value :
         {std::string("\xFF\xFE"), std::string("a\xC3"), std::string("\xED\xA0\x80")}) {
        const std::string line = json("e", {{"x", value}});
        EXPECT_TRUE(is_utf8(line));
        EXPECT_THAT(line, HasSubstr("\xEF\xBF\xBD"));
    }
}

}  // namespace
}  // namespace tocsin
