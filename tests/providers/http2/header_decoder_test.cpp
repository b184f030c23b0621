#include "providers/http2/header_decoder.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::string_view_literals;

using field_list = std::vector<std::pair<std::string, std::string>>;

// Fields of the static table, in one byte.
constexpr auto status_200 = "\x88"sv;
constexpr auto status_404 = "\x8D"sv;
// The newest entry of the dynamic table, and the one before it.
constexpr auto newest = "\xBE"sv;
constexpr auto one_before = "\xBF"sv;

/// A literal that goes into the table.
std::string kept(std::string_view name, std::string_view value) {
    std::string out("\x40");
    out += static_cast<char>(name.size());
    out += name;
    out += static_cast<char>(value.size());
    out += value;
    return out;
}

class HeaderDecoder : public ::testing::Test {
protected:
    field_list decode(std::string_view block) {
        field_list out;
        fine = decoder.decode(
            block, [&](std::string_view name, std::string_view value) { out.emplace_back(name, value); });
        return out;
    }

    header_decoder decoder;
    bool fine = true;
};

TEST_F(HeaderDecoder, ABlockThatRepeatsTheLastOneMeansTheSame) {
    decode(kept("server", "one"));
    const std::string block = std::string(status_200) + std::string(newest);
    const field_list first = decode(block);
    EXPECT_EQ(first, (field_list{{":status", "200"}, {"server", "one"}}));
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(decode(block), first);
        EXPECT_TRUE(fine);
    }
}

TEST_F(HeaderDecoder, ABlockThatChangesTheTableChangesWhatTheSameBytesMean) {
    decode(kept("server", "one"));
    EXPECT_EQ(decode(newest), (field_list{{"server", "one"}}));
    EXPECT_EQ(decode(newest), (field_list{{"server", "one"}}));
    EXPECT_EQ(decode(kept("date", "today")), (field_list{{"date", "today"}}));
    EXPECT_EQ(decode(newest), (field_list{{"date", "today"}}));
    EXPECT_EQ(decode(one_before), (field_list{{"server", "one"}}));
}

TEST_F(HeaderDecoder, AChangeOfTheTablesSizeIsSeenByTheSameBytes) {
    decode(kept("server", "one"));
    decode(newest);
    decode(newest);
    decode("\x20\x88"sv);  // The table has no room any more, and no entry.
    EXPECT_TRUE(fine);
    decode(newest);
    EXPECT_FALSE(fine);
}

TEST_F(HeaderDecoder, ALiteralThatRepeatsGoesIntoTheTableEachTime) {
    const std::string block = kept("server", "one");
    decode(block);
    decode(block);
    decode(kept("date", "today"));
    EXPECT_EQ(decode("\xC0"sv), (field_list{{"server", "one"}}));
    EXPECT_TRUE(fine);
}

TEST_F(HeaderDecoder, BlocksInTurnAreReadEachForItself) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(decode(status_200), (field_list{{":status", "200"}}));
        EXPECT_EQ(decode(status_404), (field_list{{":status", "404"}}));
        EXPECT_EQ(decode(""sv), field_list());
        EXPECT_TRUE(fine);
    }
}

TEST_F(HeaderDecoder, ABlockWithoutMeaningStaysWithoutWhenItComesAgain) {
    decode(newest);
    EXPECT_FALSE(fine);
    decode(newest);
    EXPECT_FALSE(fine);
}

TEST_F(HeaderDecoder, WhatIsLongIsReadEachTimeLikeTheFirstTime) {
    const std::string value(100, 'v');
    decode(kept("server", value));
    const field_list some(known_block::most_text / value.size() + 1, {"server", value});
    const std::string block(some.size(), newest.front());
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(decode(block), some);
        EXPECT_TRUE(fine);
    }
    const std::string many(known_block::most_bytes + 1, status_200.front());
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(decode(many).size(), many.size());
    }
}

}  // namespace
}  // namespace tocsin::http2
