#include "providers/http2/header_decoder.hpp"

#include "engine/core/c_handle.hpp"

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <random>
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

/// What a provider says, as nghttp2 encodes it.
class provider_words {
public:
    provider_words() {
        nghttp2_hd_deflater* raw = nullptr;
        EXPECT_EQ(nghttp2_hd_deflate_new(&raw, 4'096), 0);
        deflater_.reset(raw);
    }

    void set_table(std::size_t bytes) { nghttp2_hd_deflate_change_table_size(deflater_.get(), bytes); }
    std::string encode(field_list& what, bool some_are_not_kept) {
        std::vector<nghttp2_nv> fields;
        for (auto& [name, value] : what) {
            const bool kept = !some_are_not_kept || name != "date";
            fields.push_back(
                {bytes_of(name), bytes_of(value), name.size(), value.size(),
                 static_cast<std::uint8_t>(kept ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX)});
        }
        std::string out(nghttp2_hd_deflate_bound(deflater_.get(), fields.data(), fields.size()), '\0');
        const auto size =
            nghttp2_hd_deflate_hd(deflater_.get(), bytes_of(out), out.size(), fields.data(), fields.size());
        EXPECT_GE(size, 0);
        out.resize(static_cast<std::size_t>(size));
        return out;
    }

private:
    static std::uint8_t* bytes_of(std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); }

    c_handle<nghttp2_hd_deflater, nghttp2_hd_deflate_del> deflater_;
};

TEST_F(HeaderDecoder, AnyHistoryOfBlocksIsReadAsItWasWritten) {
    provider_words provider;
    std::mt19937_64 random(7);
    std::string second = "0";
    for (int i = 0; i < 20'000; ++i) {
        if (random() % 20 == 0) {
            second = std::to_string(random() % 1'000);
        }
        if (random() % 500 == 0) {
            provider.set_table(random() % 2 == 0 ? 4'096 : random() % 200);
        }
        field_list said{{":status", random() % 8 == 0 ? "404" : "200"}, {"content-type", "application/json"}};
        if (random() % 4 != 0) {
            said.emplace_back("vary", "Origin");
            said.emplace_back("date", second);
        }
        const std::string block = provider.encode(said, random() % 50 == 0);
        ASSERT_EQ(decode(block), said) << "block " << i;
        ASSERT_TRUE(fine);
    }
}

}  // namespace
}  // namespace tocsin::http2
