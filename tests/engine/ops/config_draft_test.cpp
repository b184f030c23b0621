#include "engine/ops/config_draft.hpp"

#include "providers/fcm/settings.hpp"
#include "providers/platforms.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

class ConfigDraftTest : public ::testing::Test {
protected:
    ConfigDraftTest() {
        subject.value.file = "/etc/tocsin.toml";
        subject.value.apps.resize(2);
        subject.value.apps[1].add<fcm_settings>();
    }
    void assign(
        std::string_view section, std::string_view name, const std::string& place, config_value value,
        const std::string& folder = "/etc") {
        subject.assign(*table.key(section, name), place, std::move(value), {"/etc/tocsin.toml", 3}, folder);
    }
    std::string ca_file_of(const std::string& given, const std::string& folder = "/etc") {
        assign("redis", "ca_file", "redis.ca_file", given, folder);
        return subject.value.redis.ca_file;
    }

    const config_table table{all_platform_configurations()};
    config_draft subject{table};
};

TEST_F(ConfigDraftTest, AValueGoesToItsSectionItsAppAndItsPlatform) {
    assign("redis", "prefix", "redis.prefix", std::string("mairies"));
    assign("app", "id", "app.1.id", std::string("second"));
    assign("app.fcm", "project_id", "app.1.fcm.project_id", std::string("villages"));
    EXPECT_EQ(subject.value.redis.prefix, "mairies");
    EXPECT_EQ(subject.value.apps[0].id, "");
    EXPECT_EQ(subject.value.apps[1].id, "second");
    EXPECT_EQ(subject.value.apps[1].find<fcm_settings>()->project_id, "villages");
    EXPECT_EQ(subject.origin_of("app.1.fcm.project_id").line, 3U);
}

TEST_F(ConfigDraftTest, APathIsRelativeToTheFolderOfWhoeverNamesIt) {
    EXPECT_EQ(ca_file_of("roots.pem"), "/etc/roots.pem");
    EXPECT_EQ(ca_file_of("../roots.pem", "/etc/tocsin"), "/etc/roots.pem");
    EXPECT_EQ(ca_file_of("/var/roots.pem"), "/var/roots.pem");
    EXPECT_EQ(ca_file_of(""), "") << "none, and not the folder itself";
    assign("redis", "prefix", "redis.prefix", std::string("a/../b"));
    EXPECT_EQ(subject.value.redis.prefix, "a/../b") << "a text is no path";
}

TEST_F(ConfigDraftTest, ACredentialOfTheServiceManagerIsInItsFolder) {
    subject.credentials_directory = "/run/credentials/tocsin";
    EXPECT_EQ(ca_file_of("$CREDENTIALS_DIRECTORY/roots.pem"), "/run/credentials/tocsin/roots.pem");
    EXPECT_EQ(ca_file_of("$CREDENTIALS_DIRECTORY2/x"), "/etc/$CREDENTIALS_DIRECTORY2/x");
    subject.credentials_directory.clear();
    ca_file_of("$CREDENTIALS_DIRECTORY/roots.pem");
    EXPECT_FALSE(subject.sound("redis.ca_file"));
    subject.keys = app_keys::unused;
    ca_file_of("$CREDENTIALS_DIRECTORY/others.pem");
    EXPECT_FALSE(subject.sound("redis.ca_file")) << "Redis is asked in any case";
}

TEST_F(ConfigDraftTest, AValueThatWasRefusedLeavesTheOldOneAndOneProblem) {
    EXPECT_TRUE(subject.sound("redis.prefix"));
    subject.assign(
        *table.key("redis", "prefix"), "redis.prefix", refusal{"type", "is wrong"},
        {"TOCSIN_REDIS_PREFIX", 0}, "/");
    EXPECT_EQ(subject.value.redis.prefix, "tocsin");
    EXPECT_FALSE(subject.sound("redis.prefix"));
    EXPECT_TRUE(subject.sound("redis.url"));
    const auto problems = subject.take_problems();
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].file, "TOCSIN_REDIS_PREFIX");
    EXPECT_EQ(problems[0].message, "is wrong");
    EXPECT_TRUE(subject.take_problems().empty());
}

TEST_F(ConfigDraftTest, ProblemsStandInTheOrderOfTheFileAndThenOfTheOtherSources) {
    subject.problem_at({"TOCSIN_ADMIN_LISTEN", 0}, "admin.listen", "first of the environment");
    subject.problem_at({"/etc/tocsin.toml", 9}, "redis.url", "later in the file");
    subject.problem_at({"TOCSIN_LOG_LEVEL", 0}, "log.level", "second of the environment");
    subject.problem_at({"/etc/tocsin.toml", 2}, "app.1.id", "early in the file");
    subject.problem_at({"/etc/tocsin.toml", 9}, "redis.prefix", "in the same line");
    std::vector<std::string> told;
    for (const config_problem& one : subject.take_problems()) {
        told.push_back(one.message);
    }
    EXPECT_EQ(
        told, (std::vector<std::string>{
                  "early in the file", "later in the file", "in the same line", "first of the environment",
                  "second of the environment"}));
}

TEST_F(ConfigDraftTest, WhatCameFromNowhereIsToldWithTheFile) {
    subject.came_from("app.1", {"/etc/tocsin.toml", 5});
    subject.problem("app.1.id", "is missing");
    subject.problem("redis.url", "is missing");
    const auto problems = subject.take_problems();
    EXPECT_EQ(problems[1].line, 5U);
    EXPECT_EQ(problems[1].key, "app.id");
    EXPECT_EQ(problems[0].file, "/etc/tocsin.toml");
    EXPECT_EQ(problems[0].line, 0U);
}

}  // namespace
}  // namespace tocsin
