#include "engine/ops/config_origins.hpp"

#include "engine/ops/config.hpp"
#include "engine/ops/settings.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(ConfigOrigins, WhatCameFromNowhereIsWhereTheTableAroundItBegan) {
    config_origins subject;
    subject.note("app.1", {"tocsin.toml", 10});
    subject.note("app.1.fcm", {"tocsin.toml", 14});
    subject.note("app.1.fcm.url", {"tocsin.toml", 15});
    subject.note("redis.url", {"TOCSIN_REDIS_URL", 0});
    const auto line = [&subject](std::string_view place) {
        const auto found = subject.of(place);
        return found ? static_cast<int>(found->line) : -1;
    };
    EXPECT_EQ(line("app.1.fcm.url"), 15);
    EXPECT_EQ(line("app.1.fcm.ca_file"), 14);
    EXPECT_EQ(line("app.1.id"), 10);
    EXPECT_EQ(line("app.1.apns.url"), 10);
    EXPECT_EQ(line("app.10.id"), -1) << "another app";
    EXPECT_EQ(line("app"), -1);
    EXPECT_EQ(line("redis.prefix"), -1);
    EXPECT_EQ(subject.of("redis.url")->file, "TOCSIN_REDIS_URL");
    subject.note("redis.url", {"--redis.url", 0});
    EXPECT_EQ(subject.of("redis.url")->file, "--redis.url") << "who comes later wins";
}

TEST(ConfigOrigins, APlaceIsShownWithoutTheNumberOfItsApp) {
    for (const auto& [place, shown] : std::vector<std::pair<std::string, std::string>>{
             {"redis.url", "redis.url"},
             {"app.1.communes", "app.communes"},
             {"app.12", "app"},
             {"app", "app"},
             {"app.1.fcm.url", "app.fcm.url"},
             {"app.id", "app.id"},
             {"app.1a.id", "app.1a.id"},
             {"quiet_hours.1", "quiet_hours.1"},
             {"app.1.fcm.2", "app.fcm.2"},
             {"", ""}}) {
        EXPECT_EQ(shown_place(place), shown);
    }
}

TEST(ConfigOrigins, AProblemThatShowsOnUseIsToldWhereItsValueCameFrom) {
    settings how;
    how.file = "/etc/tocsin.toml";
    EXPECT_EQ(problem_of(how, "app.1.id", "x").file, "/etc/tocsin.toml");
    EXPECT_EQ(problem_of(how, "app.1.id", "x").line, 0U);
    auto origins = std::make_shared<config_origins>();
    origins->note("app.1.id", {"/etc/other.toml", 7});
    how.origins = origins;
    const config_problem told = problem_of(how, "app.1.id", "x");
    EXPECT_EQ(told.file, "/etc/other.toml");
    EXPECT_EQ(told.line, 7U);
    EXPECT_EQ(told.key, "app.id");
    EXPECT_EQ(told.message, "x");
    EXPECT_EQ(problem_of(how, "redis.url", "x").file, "/etc/tocsin.toml");
}

}  // namespace
}  // namespace tocsin
