#include "providers/common/json_check.hpp"

#include <boost/json/parse.hpp>

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(FindNull, SaysWhereTheFirstOneIsWhateverItsDepth) {
    struct row {
        std::string_view given;
        std::string_view path;
    };
    for (const row& one : std::vector<row>{
             {R"({"a":null})", "a"},
             {R"({"a":{"b":null}})", "a.b"},
             {R"({"a":[1,null]})", "a[1]"},
             {R"({"a":[[null]]})", "a[0][0]"},
             {R"({"a":[{"b":1},{"b":null}]})", "a[1].b"},
             {R"({"a":1,"b":null,"c":null})", "b"},
             {"[null]", "[0]"},
             {R"({"a":"null","b":0,"c":false,"d":[],"e":{}})", ""}}) {
        EXPECT_EQ(find_null(boost::json::parse(one.given), ""), one.path) << one.given;
    }
}

TEST(FindNull, GoesOnFromThePathItIsGiven) {
    EXPECT_EQ(find_null(nullptr, "apns.aps"), "apns.aps");
    EXPECT_EQ(find_null(boost::json::parse(R"({"b":null})"), "apns"), "apns.b");
    EXPECT_EQ(find_null(boost::json::parse("[null]"), "apns"), "apns[0]");
}

}  // namespace
}  // namespace tocsin
