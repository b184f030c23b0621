#include "providers/common/bounded_json.hpp"

#include "engine/core/json_members.hpp"
#include "providers/common/reason_word.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

bool parses(std::string_view text) {
    bounded_json reader;
    return reader.parse(text) != nullptr;
}

TEST(BoundedJson, ReadsAnObject) {
    bounded_json reader;
    const auto* value = reader.parse(R"( {"reason":"Unregistered","timestamp":1763870000000} )");
    ASSERT_NE(value, nullptr);
    EXPECT_EQ(text_at(value->get_object(), "reason"), "Unregistered");
    EXPECT_EQ(value->get_object().at("timestamp").get_int64(), 1763870000000);
    EXPECT_EQ(text_at(value->get_object(), "timestamp"), "");
    EXPECT_EQ(text_at(value->get_object(), "absent"), "");
}

TEST(BoundedJson, RefusesWhatIsNotOneValue) {
    for (const std::string_view text :
         {"", " ", "{", "{\"a\":1", "{} {}", "{}x", "<html></html>", "nul", "{\"a\":\xff}", "[1,]",
          "{'a':1}"}) {
        EXPECT_FALSE(parses(text)) << text;
    }
}

TEST(BoundedJson, RefusesWhatIsNestedTooDeep) {
    EXPECT_TRUE(parses(std::string(16, '[') + std::string(16, ']')));
    EXPECT_FALSE(parses(std::string(17, '[') + std::string(17, ']')));
    EXPECT_FALSE(parses(std::string(16'000, '[')));
}

TEST(BoundedJson, RefusesWhatDoesNotFitIntoItsMemory) {
    std::string wide = "[0";
    for (int i = 0; i < 8'000; ++i) {
        wide += ",0";
    }
    EXPECT_FALSE(parses(wide + "]"));
    EXPECT_FALSE(parses("\"" + std::string(100'000, 'x') + "\""));
}

TEST(ReasonWord, KeepsPlainWordsAndReplacesTheRest) {
    EXPECT_EQ(reason_word("BadDeviceToken"), "BadDeviceToken");
    EXPECT_EQ(reason_word("THIRD_PARTY.auth-2"), "THIRD_PARTY.auth-2");
    EXPECT_EQ(reason_word(std::string(64, 'a')), std::string(64, 'a'));
    EXPECT_EQ(reason_word(std::string(65, 'a')), "Unknown");
    EXPECT_EQ(reason_word(""), "Unknown");
    EXPECT_EQ(reason_word("a b"), "Unknown");
    EXPECT_EQ(reason_word("a\"}\nevil 1"), "Unknown");
}

}  // namespace
}  // namespace tocsin
