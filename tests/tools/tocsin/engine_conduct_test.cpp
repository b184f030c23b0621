#include "tools/tocsin/engine_conduct.hpp"

#include <set>

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

TEST(EngineConduct, IsASentenceForEveryReactionThatHasAName) {
    std::set<std::string_view> said;
    for (int i = 0; i <= static_cast<int>(reaction::unknown); ++i) {
        const std::string_view sentence = engine_conduct(static_cast<reaction>(i));
        EXPECT_TRUE(sentence.ends_with('.')) << to_string(static_cast<reaction>(i));
        said.insert(sentence);
    }
    EXPECT_EQ(said.size(), 12U);  // Both kinds of retry look the same from outside.
}

}  // namespace
}  // namespace tocsin::cli
