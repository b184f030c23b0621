#include "engine/core/plain_json.hpp"

#include <boost/json/parse.hpp>

#include <cstdlib>
#include <limits>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

namespace json = boost::json;

TEST(PlainJson, WritesNumbersWithoutAnExponent) {
    EXPECT_EQ(plain_json(json::value(0.36)), "0.36");
    EXPECT_EQ(plain_json(json::value(0.0)), "0");
    EXPECT_EQ(plain_json(json::value(-0.00003138)), "-0.00003138");
    EXPECT_EQ(plain_json(json::value(1e15)), "1000000000000000");
}

TEST(PlainJson, WhatItWritesIsTheSameDocument) {
    const json::value document = json::parse(
        R"({"a":[1,-2,18446744073709551615,0.1,3.5e-9,true,null,{}],"é\n\"":{"b":[],"c":"d\u0001"}})");
    EXPECT_EQ(json::parse(plain_json(document)), document);
}

TEST(PlainJson, EvenTheLongestNumbersFit) {
    for (const double number :
         {std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(),
          std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::min()}) {
        EXPECT_EQ(std::strtod(plain_json(json::value(number)).c_str(), nullptr), number);
    }
    EXPECT_EQ(plain_json(json::value(std::numeric_limits<double>::infinity())), "null");
}

TEST(ShortenedShare, KeepsFourDecimals) {
    EXPECT_DOUBLE_EQ(shortened_share(0.361234), 0.3612);
    EXPECT_DOUBLE_EQ(shortened_share(1.234567), 1.2346);
    EXPECT_EQ(shortened_share(5.0 / 159'346), 0);
    EXPECT_DOUBLE_EQ(shortened_share(0.00005), 0.0001);
    EXPECT_EQ(shortened_share(0), 0);
    EXPECT_DOUBLE_EQ(rounded_share(1.0 / 3), 0.3333333);
    EXPECT_DOUBLE_EQ(rounded_share(3.0 / 161'830), 1.853797e-05);
    EXPECT_EQ(rounded_share(0), 0);
    EXPECT_EQ(rounded_share(2), 2);
}

}  // namespace
}  // namespace tocsin
