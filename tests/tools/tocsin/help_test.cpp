#include "tools/tocsin/help.hpp"

#include "engine/ops/config.hpp"
#include "tools/tocsin/console.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t terminal_width = 80;

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        out.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

/// Calls `visit` with every command and every action, and the words that lead to it.
void for_every_command(const std::function<void(const command&, const std::string&)>& visit) {
    const std::function<void(const command&, const std::string&)> walk = [&](const command& at,
                                                                             const std::string& path) {
        visit(at, path);
        for (const command& action : at.actions) {
            walk(action, path + " " + action.name);
        }
    };
    for (const command& one : all_commands()) {
        walk(one, one.name);
    }
}

TEST(HelpTest, OverviewShowsEveryCommandOnALineOfItsOwnAndFitsOnAScreen) {
    const std::vector<command> commands = all_commands();
    const std::vector<std::string> lines = lines_of(overview(commands));
    EXPECT_LE(lines.size(), 40U);
    for (const std::string& line : lines) {
        EXPECT_LE(shown_width(line), terminal_width) << line;
    }
    for (const command& one : commands) {
        const auto count = std::ranges::count_if(lines, [&](const std::string& line) {
            return line.find(" " + one.name + " ") == 8 && line.ends_with(one.summary);
        });
        EXPECT_EQ(count, 1) << one.name;
    }
}

TEST(HelpTest, OverviewNamesEachGroupOnce) {
    const std::vector<std::string> lines = lines_of(overview(all_commands()));
    for (std::size_t g = 0; g < command_group_count; ++g) {
        const std::string name(to_string(static_cast<command_group>(g)));
        EXPECT_EQ(
            std::ranges::count_if(
                lines, [&](const std::string& line) { return line.starts_with(name + " "); }),
            1)
            << name;
    }
}

TEST(HelpTest, EveryCommandSaysWhatItDoesInALineAndHowInExamples) {
    for_every_command([](const command& about, const std::string& path) {
        EXPECT_TRUE(about.summary.ends_with('.') || about.summary.ends_with("…")) << path;
        EXPECT_LE(shown_width(about.summary), 60U) << path;
        EXPECT_THAT(about.examples, HasSubstr("tocsin " + path)) << path;
        EXPECT_TRUE(about.examples.ends_with('\n')) << path;
        EXPECT_TRUE(about.run != nullptr || !about.actions.empty()) << path;
    });
}

TEST(HelpTest, EveryPageBeginsWithExamplesThenNamesEveryOptionWithinTheWidthOfATerminal) {
    for_every_command([](const command& about, const std::string& path) {
        const std::string page = help_of(about, path);
        const std::size_t examples = page.find("\nExamples:\n");
        const std::size_t usage = page.find("\nUsage: tocsin " + path);
        ASSERT_NE(examples, std::string::npos) << path;
        ASSERT_NE(usage, std::string::npos) << path;
        EXPECT_LT(examples, usage) << path;
        for (const option& one : about.options) {
            EXPECT_NE(page.find("\n  " + one.name(), usage), std::string::npos) << path << one.name();
        }
        for (const std::string& line : lines_of(page.substr(usage))) {
            EXPECT_LE(shown_width(line), terminal_width) << path << "\n" << line;
            EXPECT_EQ(line.find("]("), std::string::npos) << path << "\n" << line;
        }
    });
}

TEST(HelpTest, SettingsHaveAPageOfTheirOwn) {
    const std::string page = help_of_settings();
    for (const config_flag& flag : config_flags()) {
        EXPECT_THAT(page, HasSubstr("--" + flag.key));
        EXPECT_THAT(page, HasSubstr(flag.environment));
    }
    for (const std::string& line : lines_of(page)) {
        EXPECT_LE(shown_width(line), terminal_width) << line;
    }
    for_every_command([](const command& about, const std::string& path) {
        EXPECT_THAT(help_of(about, path), ::testing::Not(HasSubstr("--engine."))) << path;
    });
}

TEST(HelpTest, MarksOfThePageAreNotShownOnATerminal) {
    EXPECT_EQ(without_marks("see `a` and [the page](b.md#c), [x] (y)"), "see a and the page, [x] (y)");
    EXPECT_EQ(without_marks("open ["), "open [");
}

TEST(HelpTest, WrappingCountsCharactersAndBreaksBetweenWords) {
    EXPECT_EQ(wrapped("éé éé éé", 5, 2), "éé éé\n  éé");
    EXPECT_EQ(wrapped("a-word-that-is-too-long b", 4, 0), "a-word-that-is-too-long\nb");
    EXPECT_EQ(wrapped("", 4, 0), "");
}

}  // namespace
}  // namespace tocsin::cli
