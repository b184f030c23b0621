#include "tools/tocsin/command_line.hpp"

#include "tests/tools/tocsin/recorded_run.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

recorded_run run(std::vector<std::string> words) {
    return run_recorded(std::move(words));
}

TEST(CommandLineTest, NoCommandShowsTheOverviewAndIsAUsageError) {
    const recorded_run none = run({});
    const recorded_run asked = run({"--help"});
    EXPECT_EQ(none.code, exit_usage);
    EXPECT_EQ(asked.code, exit_ok);
    EXPECT_EQ(none.out, asked.out);
    EXPECT_EQ(run({"help"}).out, asked.out);
    EXPECT_THAT(asked.out, HasSubstr("\npublish "));
}

TEST(CommandLineTest, HelpOfAPageIsTheSameHoweverItIsAskedFor) {
    EXPECT_EQ(run({"help", "publish"}).out, run({"publish", "--help"}).out);
    EXPECT_EQ(run({"help", "devices", "import"}).out, run({"devices", "import", "--help"}).out);
    EXPECT_EQ(run({"help", "devices", "import"}).out, run({"devices", "import", "-h"}).out);
    EXPECT_THAT(run({"help", "settings"}).out, HasSubstr("--redis.url"));
    EXPECT_EQ(run({"help", "nothing"}).code, exit_usage);
}

TEST(CommandLineTest, AnUnknownCommandIsToldWithTheNearest) {
    const recorded_run done = run({"statsu"});
    EXPECT_EQ(done.code, exit_usage);
    EXPECT_THAT(done.err, HasSubstr("did you mean status?"));
    EXPECT_EQ(done.out, "");
}

TEST(CommandLineTest, AWordThatIsACommandIsAnArgumentBehindAnother) {
    EXPECT_EQ(run({"status", "pause"}).ran, "status");
    EXPECT_EQ(run({"devices", "show", "export"}).ran, "devices show");
    EXPECT_EQ(run({"dead-letters", "retry", "list"}).ran, "dead-letters retry");
}

TEST(CommandLineTest, EveryExampleIsACommandLineThatIsAccepted) {
    const std::function<void(const command&, const std::string&)> check = [&](const command& at,
                                                                              const std::string& path) {
        for (const std::string& line : command_lines(at.examples)) {
            auto words = shell_words(line);
            ASSERT_TRUE(words) << line;
            while (!words->empty() && words->front().find('=') != std::string::npos) {
                words->erase(words->begin());  // A variable of the environment.
            }
            ASSERT_FALSE(words->empty()) << line;
            ASSERT_EQ(words->front(), "tocsin") << line;
            words->erase(words->begin());
            const recorded_run done = run(*words);
            EXPECT_EQ(done.code, exit_ok) << line << "\n" << done.err;
            if (path != "help") {
                EXPECT_THAT(done.ran, StartsWith(path)) << line;
            }
        }
        for (const command& action : at.actions) {
            check(action, path + " " + action.name);
        }
    };
    for (const command& one : all_commands()) {
        check(one, one.name);
    }
}

TEST(CommandLineTest, SettingsAndCommonOptionsStandOnEitherSideOfTheCommand) {
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"status", "--redis.url", "redis://h/0", "--json", "--config", "f.toml"},
             {"--redis.url", "redis://h/0", "--json", "--config", "f.toml", "status"}}) {
        std::vector<command> commands = all_commands();
        common_options seen;
        for (command& one : commands) {
            if (one.name == "status") {
                one.run = [&seen, options_owner = one.run](const common_options& common) {
                    seen = common;
                    return int{exit_ok};
                };
            }
        }
        std::vector<const char*> arguments{"tocsin"};
        for (const std::string& word : words) {
            arguments.push_back(word.c_str());
        }
        EXPECT_EQ(run_command_line(commands, static_cast<int>(arguments.size()), arguments.data()), exit_ok);
        EXPECT_EQ(seen.config, "f.toml");
        EXPECT_TRUE(seen.json);
        ASSERT_EQ(seen.settings.size(), 1U);
        EXPECT_EQ(seen.settings.front(), (std::pair<std::string, std::string>("redis.url", "redis://h/0")));
    }
}

TEST(CommandLineTest, WhatIsWrongIsToldWithThePageThatHelps) {
    const recorded_run missing = run({"devices", "import"});
    EXPECT_EQ(missing.code, exit_usage);
    EXPECT_THAT(missing.err, HasSubstr("FILE"));
    EXPECT_THAT(missing.err, HasSubstr("tocsin devices import --help"));
    const recorded_run range = run({"demo", "--share", "2"});
    EXPECT_EQ(range.code, exit_usage);
    EXPECT_THAT(range.err, HasSubstr("--share"));
    const recorded_run word = run({"sim", "--answers", "slowly"});
    EXPECT_EQ(word.code, exit_usage);
    EXPECT_THAT(word.err, HasSubstr("batched"));
    EXPECT_EQ(run({"sim", "--latency", "lots"}).code, exit_usage);
    EXPECT_EQ(run({"bench", "town", "--assert", "nonsense"}).code, exit_usage);
    EXPECT_EQ(run({"devices"}).code, exit_usage);
}

}  // namespace
}  // namespace tocsin::cli
