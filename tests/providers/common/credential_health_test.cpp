#include "providers/common/credential_health.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(CredentialHealth, TellsNewsOnce) {
    credential_health health;
    EXPECT_FALSE(health.problem().has_value());
    EXPECT_TRUE(health.report("the key is wrong"));
    EXPECT_FALSE(health.report("the key is wrong"));
    EXPECT_TRUE(health.report("the topic is wrong"));
    EXPECT_EQ(health.problem(), "the topic is wrong");
}

TEST(CredentialHealth, IsWellAgainAfterASuccess) {
    credential_health health;
    health.report("the key is wrong");
    health.clear();
    EXPECT_FALSE(health.problem().has_value());
    EXPECT_TRUE(health.report("the key is wrong"));
}

}  // namespace
}  // namespace tocsin
