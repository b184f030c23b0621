#include "engine/core/visible_text.hpp"

#include "engine/core/text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

/// True if a terminal shows every byte of it as it is.
bool is_harmless(std::string_view text) {
    for (std::string_view rest = text; !rest.empty();) {
        const auto next = front_of(rest);
        if (!next || is_unprintable(next->value)) {
            return false;
        }
        rest.remove_prefix(next->size);
    }
    return true;
}

std::string utf8_of(char32_t c) {
    const auto byte = [](char32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
    if (c < 0x80) {
        return {byte(c)};
    }
    if (c < 0x800) {
        return {byte(0xC0 | c >> 6U), byte(0x80 | (c & 0x3F))};
    }
    if (c < 0x10000) {
        return {byte(0xE0 | c >> 12U), byte(0x80 | (c >> 6U & 0x3F)), byte(0x80 | (c & 0x3F))};
    }
    return {
        byte(0xF0 | c >> 18U), byte(0x80 | (c >> 12U & 0x3F)), byte(0x80 | (c >> 6U & 0x3F)),
        byte(0x80 | (c & 0x3F))};
}

TEST(VisibleText, ShowsEachKindOfWhatIsUnprintable) {
    EXPECT_EQ(made_visible("\x1b[2J"), "\\u001b[2J");
    EXPECT_EQ(made_visible("a\nb\tc\rd"), "a\\nb\\tc\\rd");
    EXPECT_EQ(made_visible("a\nb", "\n"), "a\nb");
    EXPECT_EQ(made_visible(std::string_view("\0", 1)), "\\u0000");
    EXPECT_EQ(made_visible("\u009b31m"), "\\u009b31m");
    EXPECT_EQ(made_visible("\u202eabc"), "\\u202eabc");
    EXPECT_EQ(
        made_visible("\x9b"
                     "31m"),
        "\\x9b31m");
    EXPECT_EQ(made_visible("\xe2\x80"), "\\xe2\\x80");
    EXPECT_EQ(made_visible("Évitez les quais 🌊"), "Évitez les quais 🌊");
}

TEST(VisibleText, NoCodePointAndNoByteGetsThrough) {
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        if (c >= 0xD800 && c <= 0xDFFF) {
            continue;
        }
        const std::string text = utf8_of(c);
        const auto read = front_of(text);
        ASSERT_TRUE(read && read->value == c && read->size == text.size()) << static_cast<unsigned>(c);
        ASSERT_TRUE(is_harmless(made_visible(text))) << static_cast<unsigned>(c);
    }
    std::mt19937 random(1);
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes;
        for (int n = 0; n < 12; ++n) {
            bytes.push_back(static_cast<char>(random()));
        }
        ASSERT_TRUE(is_harmless(made_visible(bytes)));
    }
}

TEST(VisibleText, JsonSaysTheSameWithEscapes) {
    for (char32_t c = 0; c <= 0x10FFFF; c += (c < 0x3000 || (c & 0xFFFF) > 0xFD00) ? 1 : 0x101) {
        if (c >= 0xD800 && c <= 0xDFFF) {
            continue;
        }
        const boost::json::value document{{"text", utf8_of(c)}};
        const std::string written = printable_json(boost::json::serialize(document));
        ASSERT_TRUE(is_harmless(written)) << static_cast<unsigned>(c);
        ASSERT_EQ(boost::json::parse(written), document) << static_cast<unsigned>(c);
    }
    const std::string repaired = printable_json("{\"text\":\"\xff\"}");
    EXPECT_TRUE(is_utf8(repaired));
    EXPECT_EQ(boost::json::parse(repaired).at("text").as_string(), "\xEF\xBF\xBD");
}

TEST(VisibleText, AUrlIsShownWithoutItsPassword) {
    EXPECT_EQ(without_password("redis://user:secret@host/0"), "redis://…@host/0");
    EXPECT_EQ(without_password("redis://user:sec/ret@host/0"), "redis://…@host/0");
    EXPECT_EQ(without_password("redis://user:sec@ret@host/0"), "redis://…@host/0");
    EXPECT_EQ(without_password("user:secret@host"), "…@host");
    EXPECT_EQ(without_password("--redis.url=redis://:secret@host"), "--redis.url=redis://…@host");
    EXPECT_EQ(without_password("https://host/path"), "https://host/path");
}

}  // namespace
}  // namespace tocsin
