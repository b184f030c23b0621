#include "engine/event/json_document.hpp"

#include "engine/event/strict_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <cstdlib>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

std::string code_of(std::string_view text) {
    const auto document = parse_document(text, document_limits{});
    return document ? "accepted" : document.error().code;
}

std::string message_of(std::string_view text) {
    const auto document = parse_document(text, document_limits{});
    return document ? "accepted" : document.error().message;
}

std::string nested(std::size_t arrays) {
    return "{\"a\":" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
}

TEST(JsonDocument, KeepsEveryKindOfValue) {
    const std::string text =
        R"({"s":"é\n","i":-7,"u":18446744073709551615,"d":0.5,"t":true,"n":null,"a":[1,[]],"o":{"k":{}}})";
    const auto document = parse_document(text, document_limits{});
    ASSERT_TRUE(document) << document.error().message;
    const auto again = parse_document(boost::json::serialize(*document), document_limits{});
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *document);
    EXPECT_EQ(document->at("u").as_uint64(), 18446744073709551615U);
}

TEST(JsonDocument, ANumberIsKeptExactlyOrRefused) {
    for (const std::string number :
         {"1e400", "-1e999", "18446744073709551616", "-9223372036854775809", "123456789012345678901234567890",
          "0.1000000000000000055", "9007199254740993.0", "9007199254740993e0", "-123456789012345678.5",
          "0.30000000000000000001", "1.00000000000000000001e-3", "1e-400"}) {
        EXPECT_EQ(code_of(R"({"x":)" + number + "}"), "invalid_json") << number;
        EXPECT_NE(message_of(R"({"x":)" + number + "}").find(number.substr(0, 20)), std::string::npos)
            << number;
    }
    for (const std::string number :
         {"0.1", "0.10", "-0.0", "0e5", "1e23", "1.50e3", "0.00012", "0.30000000000000004", "1E+2", "100.00",
          "5e-324", "1.7976931348623157e308", "0.1000000000000000000000"}) {
        EXPECT_EQ(code_of(R"({"x":)" + number + "}"), "accepted") << number;
    }
    std::minstd_rand random(7);
    for (int i = 0; i < 20'000; ++i) {
        std::string number = std::to_string(random() % 1'000) + ".";
        for (std::size_t digits = random() % 12 + 1; digits != 0; --digits) {
            number += static_cast<char>('0' + random() % 10);
        }
        if (random() % 3 == 0) {
            number += "e" + std::to_string(static_cast<int>(random() % 80) - 40);
        }
        const auto document = parse_document(R"({"x":)" + number + "}", document_limits{});
        ASSERT_TRUE(document) << number;
        EXPECT_EQ(document->at("x").as_double(), std::strtod(number.c_str(), nullptr)) << number;
    }
}

TEST(JsonDocument, Nests32LevelsAndNoMore) {
    EXPECT_EQ(code_of(nested(31)), "accepted");
    EXPECT_EQ(code_of(nested(32)), "too_deep");
}

TEST(JsonDocument, TellsWhereItStopsBeingJson) {
    EXPECT_EQ(message_of(R"({"a":1)"), "not JSON: the document ends at byte 6 before it is complete");
    EXPECT_EQ(message_of(R"({"a":1} x)"), "not JSON: extra data at byte 8, which is \"x\"");
    EXPECT_EQ(message_of(R"({"a":x})"), "not JSON: syntax error at byte 5, which is \"x\"");
}

TEST(JsonDocument, HalfAnEmojiIsPointedAt) {
    // Behind what must not be taken for it: a pair, and an escaped backslash.
    for (const std::string half :
         {R"(\ud83d)", R"(\ude00)", R"(\uD83Dx)", R"(\ud83d\n)", R"(\ud83d\ud83d\ude00)",
          R"(\ud83d\u0041)"}) {
        const std::string head = R"({"body":"\ud83d\ude00 \\ud83d )";
        const std::string said = message_of(head + half + R"("})");
        EXPECT_EQ(code_of(head + half + R"("})"), "invalid_json");
        EXPECT_NE(said.find("at byte " + std::to_string(head.size()) + ":"), std::string::npos) << said;
        EXPECT_NE(said.find(half.substr(0, 6)), std::string::npos) << said;
    }
    EXPECT_EQ(code_of(R"({"body":"\ud83d\ude00 \\ud83d"})"), "accepted");
    // What is wrong earlier is told first.
    EXPECT_NE(message_of(R"({"a":oops,"body":"\ud83d"})").find("at byte 5"), std::string::npos);
}

TEST(JsonDocument, TellsWhereItStopsBeingUtf8) {
    EXPECT_EQ(first_bad_utf8("abc"), 3U);
    EXPECT_EQ(first_bad_utf8("é\xE9"), 2U);
    EXPECT_EQ(first_bad_utf8("é𝄞\xF0\x9D\x84"), 6U);
    EXPECT_EQ(message_of("{\"\xFF\":1}"), "the document is not well-formed UTF-8 from byte 2 on");
}

TEST(JsonDocument, NamesTheKeyThatStandsTwice) {
    EXPECT_EQ(
        message_of(R"({"a":1,"b":{"c":[{"d":1},{"d":1,"e":2,"d":3}]}})"),
        "key \"d\" stands twice in \"b.c\"");
    EXPECT_EQ(message_of(R"({"a":1,"\u0061":2})"), "key \"a\" stands twice in the document");
    EXPECT_EQ(code_of(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]})"), "accepted");
}

TEST(JsonDocument, ManyKeysAreNotSlow) {
    std::string text = "{";
    for (int i = 0; i < 20'000; ++i) {
        text += "\"" + std::to_string(i) + "\":1,";
    }
    EXPECT_EQ(code_of(text + "\"x\":1}"), "accepted");
    EXPECT_EQ(code_of(text + "\"0\":1}"), "duplicate_key");
}

TEST(JsonDocument, RefusesNulInStringsAndKeys) {
    EXPECT_EQ(code_of(R"({"a":"\u0000"})"), "control_character");
    EXPECT_EQ(code_of(R"({"\u0000":"a"})"), "control_character");
    EXPECT_EQ(message_of(R"({"a":[{"b":"\u0000"}]})"), "\"a[0].b\" holds the character U+0000");
    EXPECT_EQ(code_of(R"({"a":"\\u0000"})"), "accepted");
}

TEST(JsonDocument, ExcerptsAreShortAndOnOneLine) {
    EXPECT_EQ(in_quotes("a\n\"b\""), "\"a??b?\"");
    EXPECT_EQ(
        excerpt("0123456789012345678901234567890123456789x"), "0123456789012345678901234567890123456789…");
    EXPECT_EQ(excerpt("ééé", 2), "éé…");
}

}  // namespace
}  // namespace tocsin
