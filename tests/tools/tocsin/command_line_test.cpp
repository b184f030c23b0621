#include "tools/tocsin/command_line.hpp"

#include "tools/tocsin/exit_code.hpp"

#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wordexp.h>

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct outcome {
    int code = 0;
    std::string out, err;
    std::string ran;  ///< The command that was called.
};

/// Every command as it is, but calling one only writes its name down.
std::vector<command> recorded_commands(std::string& ran) {
    const std::function<void(command&, const std::string&)> record = [&](command& at,
                                                                         const std::string& path) {
        if (at.run != nullptr && path != "help") {
            at.run = [&ran, path, options_owner = at.run](const common_options&) {
                ran = path;
                return int{exit_ok};
            };
        }
        for (command& action : at.actions) {
            record(action, path + " " + action.name);
        }
    };
    std::vector<command> out = all_commands();
    for (command& one : out) {
        record(one, one.name);
    }
    return out;
}

outcome run(std::vector<std::string> words) {
    outcome out;
    const std::vector<command> commands = recorded_commands(out.ran);
    words.insert(words.begin(), "tocsin");
    std::vector<const char*> arguments;
    for (const std::string& word : words) {
        arguments.push_back(word.c_str());
    }
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    out.code = run_command_line(commands, static_cast<int>(arguments.size()), arguments.data());
    out.out = ::testing::internal::GetCapturedStdout();
    out.err = ::testing::internal::GetCapturedStderr();
    return out;
}

/// The words of a line of shell; nothing if it is more than a plain command.
std::optional<std::vector<std::string>> shell_words(const std::string& line) {
    wordexp_t words{};
    if (wordexp(line.c_str(), &words, WRDE_NOCMD) != 0) {
        return std::nullopt;
    }
    std::vector<std::string> out(words.we_wordv, words.we_wordv + words.we_wordc);
    wordfree(&words);
    return out;
}

/// The command lines of `examples`: continued lines joined, without comments and what the shell does with the
/// output.
std::vector<std::string> command_lines(const std::string& examples) {
    std::vector<std::string> out;
    std::string line;
    bool continued = false;
    for (std::size_t at = 0; at < examples.size();) {
        const std::size_t end = examples.find('\n', at);
        std::string part = examples.substr(at, end - at);
        at = end == std::string::npos ? examples.size() : end + 1;
        const bool goes_on = part.ends_with('\\');
        if (goes_on) {
            part.pop_back();
        }
        line = continued ? line + part : part;
        continued = goes_on;
        if (!goes_on) {
            line = line.substr(0, std::min(line.find("  # "), line.find(" > ")));
            out.push_back(line);
        }
    }
    return out;
}

TEST(CommandLineTest, NoCommandShowsTheOverviewAndIsAUsageError) {
    const outcome none = run({});
    const outcome asked = run({"--help"});
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
    const outcome done = run({"statsu"});
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
            const outcome done = run(*words);
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
    const outcome missing = run({"devices", "import"});
    EXPECT_EQ(missing.code, exit_usage);
    EXPECT_THAT(missing.err, HasSubstr("FILE"));
    EXPECT_THAT(missing.err, HasSubstr("tocsin devices import --help"));
    const outcome range = run({"demo", "--share", "2"});
    EXPECT_EQ(range.code, exit_usage);
    EXPECT_THAT(range.err, HasSubstr("--share"));
    const outcome word = run({"sim", "--answers", "slowly"});
    EXPECT_EQ(word.code, exit_usage);
    EXPECT_THAT(word.err, HasSubstr("batched"));
    EXPECT_EQ(run({"sim", "--latency", "lots"}).code, exit_usage);
    EXPECT_EQ(run({"bench", "town", "--assert", "nonsense"}).code, exit_usage);
    EXPECT_EQ(run({"devices"}).code, exit_usage);
}

}  // namespace
}  // namespace tocsin::cli
