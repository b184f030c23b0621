#include "tools/tocsin/manual.hpp"

#include "engine/ops/config.hpp"
#include "engine/ops/config_table.hpp"
#include "providers/platforms.hpp"
#include "tools/tocsin/completions.hpp"
#include "tools/tocsin/help.hpp"

#include <algorithm>
#include <functional>
#include <regex>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Manual, completions and --help say the same of every command.

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;

const manual_stamp stamp{"1.2.3", "2026-11-23"};

/// The words of a page, however it is set: without the language of man(7), blanks and line ends.
std::string bare(std::string text) {
    text = std::regex_replace(text, std::regex(R"(\\f[BRI]|\\&)"), "");
    text = std::regex_replace(text, std::regex(R"(\\-)"), "-");
    text = std::regex_replace(text, std::regex(R"(\\e)"), "\\");
    text = std::regex_replace(text, std::regex("[ \n]+"), " ");
    return text;
}

TEST(ManualTest, EachCommandOfTheOverviewIsTheOneOfHelp) {
    const auto commands = all_commands();
    const std::string page = bare(manual_overview(commands, stamp));
    const std::string help = bare(overview(commands));
    for (const command& one : commands) {
        EXPECT_THAT(page, HasSubstr("tocsin-" + one.name + " (1) " + one.summary));
        EXPECT_THAT(help, HasSubstr(one.name + " " + one.summary));
    }
}

TEST(ManualTest, EachPageHasWhatHelpHas) {
    const std::function<void(const command&, const std::string&, const std::string&)> check =
        [&](const command& about, const std::string& path, const std::string& page) {
            const std::string help = bare(help_of(about, path));
            for (const option& one : about.options) {
                for (const std::string& text : {page, help}) {
                    EXPECT_THAT(text, HasSubstr(one.name() + " ")) << path;
                    EXPECT_THAT(text, HasSubstr(bare(without_marks(one.help())))) << path;
                }
            }
            EXPECT_THAT(page, HasSubstr(bare(about.summary)));
            EXPECT_THAT(page, HasSubstr(bare(about.examples).substr(0, 20)));
            for (const command& action : about.actions) {
                check(action, path + " " + action.name, page);
            }
        };
    for (const command& one : all_commands()) {
        check(one, one.name, bare(manual_page(one, stamp)));
    }
}

TEST(ManualTest, NoLineOfItIsTakenForARequestByMistake) {
    const std::regex request(R"re(^\.(\\"|TH|SH|SS|SY|YS|PP|TP|TQ|EX|EE|B|BR|BI|I)( .*)?$)re");
    const auto check = [&](const std::string& page) {
        for (std::size_t at = 0; at < page.size();) {
            const std::size_t end = std::min(page.find('\n', at), page.size());
            const std::string line = page.substr(at, end - at);
            if (line.starts_with('.') || line.starts_with('\'')) {
                EXPECT_TRUE(std::regex_match(line, request)) << line;
            }
            at = end + 1;
        }
    };
    for (const command& one : all_commands()) {
        check(manual_page(one, stamp));
    }
    check(manual_overview(all_commands(), stamp));
    check(manual_of_configuration(stamp));
}

TEST(ManualTest, EveryKeyOfTheConfigurationIsInItsPage) {
    const std::string page = bare(manual_of_configuration(stamp));
    const config_table table(all_platform_configurations());
    for (const config_key& key : table.keys()) {
        EXPECT_THAT(page, HasSubstr(" " + std::string(key.name) + " "));
    }
}

TEST(CompletionTest, EveryShellKnowsEveryCommandActionAndOption) {
    const auto commands = all_commands();
    for (const std::string& script :
         {bash_completion(commands), zsh_completion(commands), fish_completion(commands)}) {
        const bool fish = script.find("complete -c tocsin -f") != std::string::npos;
        const std::function<void(const command&)> check = [&](const command& about) {
            EXPECT_THAT(script, HasSubstr(about.name));
            for (const option& one : about.options) {
                if (!one.is_argument()) {
                    EXPECT_THAT(script, HasSubstr(fish ? "-l '" + one.name().substr(2) + "'" : one.name()));
                }
            }
            for (const command& action : about.actions) {
                check(action);
            }
        };
        for (const command& one : commands) {
            check(one);
        }
        for (const config_flag& flag : config_flags()) {
            EXPECT_THAT(script, HasSubstr(flag.key));
        }
    }
}

}  // namespace
}  // namespace tocsin::cli
