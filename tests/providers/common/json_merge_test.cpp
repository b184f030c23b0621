#include "providers/common/json_merge.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

boost::json::value merged(std::string_view target, std::string_view patch) {
    auto out = boost::json::parse(target).as_object();
    merge_json(out, boost::json::parse(patch).as_object());
    return out;
}

// The examples of RFC 7396, appendix A, that patch objects with objects.
TEST(JsonMerge, DoesWhatRfc7396Says) {
    const auto json = [](std::string_view text) { return boost::json::parse(text); };
    EXPECT_EQ(merged(R"({"a":"b"})", R"({"a":"c"})"), json(R"({"a":"c"})"));
    EXPECT_EQ(merged(R"({"a":"b"})", R"({"b":"c"})"), json(R"({"a":"b","b":"c"})"));
    EXPECT_EQ(merged(R"({"a":"b"})", R"({"a":null})"), json("{}"));
    EXPECT_EQ(merged(R"({"a":"b","b":"c"})", R"({"a":null})"), json(R"({"b":"c"})"));
    EXPECT_EQ(merged(R"({"a":["b"]})", R"({"a":"c"})"), json(R"({"a":"c"})"));
    EXPECT_EQ(merged(R"({"a":"c"})", R"({"a":["b"]})"), json(R"({"a":["b"]})"));
    EXPECT_EQ(merged(R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})"), json(R"({"a":{"b":"d"}})"));
    EXPECT_EQ(merged(R"({"a":[{"b":"c"}]})", R"({"a":[1]})"), json(R"({"a":[1]})"));
    EXPECT_EQ(merged(R"({"e":null})", R"({"a":1})"), json(R"({"e":null,"a":1})"));
    EXPECT_EQ(merged("{}", R"({"a":{"bb":{"ccc":null}}})"), json(R"({"a":{"bb":{}}})"));
}

}  // namespace
}  // namespace tocsin
