#include "engine/event/receipt.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

const std::string sound = R"({"event":"crue-1","app":"mairies","kind":"displayed","batch":"b-000123",
    "counts":{"21231":37,"2A004":2}})";

std::string with(std::string_view what, std::string_view instead) {
    std::string out = sound;
    out.replace(out.find(what), what.size(), instead);
    return out;
}

TEST(Receipt, IsReadAndWrittenBack) {
    const auto read = parse_receipt(sound);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->event, "crue-1");
    EXPECT_EQ(read->app, "mairies");
    EXPECT_EQ(read->kind, receipt_kind::displayed);
    EXPECT_EQ(read->batch, "b-000123");
    ASSERT_EQ(read->counts.size(), 2U);
    EXPECT_EQ(to_string(read->counts.front().first), "21231");
    EXPECT_EQ(read->counts.front().second, 37U);
    EXPECT_EQ(parse_receipt(to_json(*read)).value(), *read);
}

TEST(Receipt, WhatIsWrongIsRefusedByItsCodeAndNamed) {
    struct wrong {
        std::string document;
        std::string code;
        std::string named;
    };
    const std::string longest(128, 'b');
    for (const wrong& one : std::initializer_list<wrong>{
             {"[]", "not_an_object", ""},
             {"{", "invalid_json", ""},
             {with("\"counts\"", "\"count\""), "unknown_field", "counts"},
             {with("\"kind\":\"displayed\",", ""), "missing_field", "kind"},
             {with("\"b-000123\"", "7"), "wrong_type", "batch"},
             {with("crue-1", ""), "invalid_id", "event"},
             {with("crue-1", "crue 1"), "invalid_id", "event"},
             {with("mairies", "mai ries"), "invalid_app", "app"},
             {with("displayed", "display"), "invalid_kind", "displayed"},
             {with("displayed", "Displayed"), "invalid_kind", "kind"},
             {with("b-000123", ""), "invalid_batch", "batch"},
             {with("b-000123", longest + "b"), "invalid_batch", "129"},
             {with("b-000123", "a\\nb"), "invalid_batch", "control"},
             {with("{\"21231\":37,\"2A004\":2}", "{}"), "empty_counts", "counts"},
             {with("{\"21231\":37,\"2A004\":2}", "[]"), "wrong_type", "counts"},
             {with("21231", "Dijon"), "invalid_commune", "counts.Dijon"},
             {with("2A004", "21231"), "duplicate_key", "21231"},
             {with("37", "0"), "invalid_count", "counts.21231"},
             {with("37", "-1"), "invalid_count", "counts.21231"},
             {with("37", "1000001"), "invalid_count", "1000001"},
             {with("37", "18446744073709551615"), "invalid_count", "counts.21231"},
             {with("37", "1.5"), "wrong_type", "counts.21231"},
             {with("37", "\"37\""), "wrong_type", "counts.21231"},
         }) {
        const auto read = parse_receipt(one.document);
        ASSERT_TRUE(read.has_error()) << one.document;
        EXPECT_EQ(read.error().code, one.code) << one.document << ": " << read.error().message;
        EXPECT_NE(read.error().message.find(one.named), std::string::npos) << read.error().message;
    }
}

TEST(Receipt, TakesTheLongestBatchInCharactersAndTheLargestCount) {
    std::string accents;
    for (int i = 0; i < 128; ++i) {
        accents += "é";
    }
    EXPECT_TRUE(parse_receipt(with("b-000123", accents)).has_value());
    EXPECT_TRUE(parse_receipt(with("37", "1000000")).has_value());
}

}  // namespace
}  // namespace tocsin
