#include "tools/tocsin/command_line.hpp"

#include "engine/core/text.hpp"
#include "engine/core/visible_text.hpp"
#include "engine/ops/config.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/help.hpp"
#include "tools/tocsin/version.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace tocsin::cli {
namespace {

/// The options of the table, told to CLI11. Help is ours (help.hpp): CLI11 only parses.
void add_options(CLI::App& to, const std::vector<option>& options) {
    for (const option& one : options) {
        CLI::Option* const added = std::visit(
            [&](auto* into) {
                if constexpr (std::is_same_v<decltype(into), bool*>) {
                    return to.add_flag(one.name(), *into);
                } else if constexpr (std::is_same_v<decltype(into), std::string*>) {
                    return one.bare().empty() ? to.add_option(one.name(), *into)
                                              : to.add_flag(one.name() + "{" + one.bare() + "}", *into);
                } else {
                    return to.add_option(one.name(), *into);
                }
            },
            one.into());
        added->required(one.is_required());
        if (!one.choices().empty()) {
            added->check(CLI::IsMember(one.choices()));
        }
        if (one.range()) {
            added->check(CLI::Range(one.range()->first, one.range()->second));
        }
        if (one.check()) {
            const auto problem = one.check();
            added->check(CLI::Validator([problem](std::string& text) { return problem(text); }, ""));
        }
    }
}

void add_command(CLI::App& to, const command& which) {
    CLI::App* const made = to.add_subcommand(which.name, which.summary);
    made->fallthrough();
    add_options(*made, which.options);
    for (const command& action : which.actions) {
        add_command(*made, action);
    }
    if (which.run == nullptr) {
        made->require_subcommand(1, 1);
    } else {
        made->require_subcommand(0, 1);
    }
}

/// The words of the command that was parsed: {"devices", "import"}.
std::vector<std::string> path_of(const CLI::App& root) {
    std::vector<std::string> out;
    for (const CLI::App* at = &root; !at->get_subcommands().empty();) {
        at = at->get_subcommands().front();
        out.push_back(at->get_name());
    }
    return out;
}

std::string joined(const std::vector<std::string>& words) {
    return CLI::detail::join(words, " ");
}

/// The flags of settings, and which of them were given.
class setting_flags {
public:
    explicit setting_flags(CLI::App& to) {
        for (const config_flag& flag : config_flags()) {
            values_.push_back({flag.key, std::make_unique<std::string>(), nullptr});
            values_.back().given = to.add_option("--" + flag.key, *values_.back().text);
        }
    }
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> given() const {
        std::vector<std::pair<std::string, std::string>> out;
        for (const one& each : values_) {
            if (each.given->count() != 0) {
                out.emplace_back(each.key, *each.text);
            }
        }
        return out;
    }

private:
    struct one {
        std::string key;
        std::unique_ptr<std::string> text;
        CLI::Option* given;
    };
    std::vector<one> values_;
};

/// A word that no command has is told with the nearest one, before CLI11 takes it for an argument too many.
bool is_unknown_command(const std::vector<command>& commands, std::string_view word) {
    return !word.empty() && !word.starts_with('-') &&
           std::ranges::find(commands, word, &command::name) == commands.end();
}

void tell_unknown(const std::vector<command>& commands, const std::string& word) {
    std::vector<std::string_view> names;
    for (const command& one : commands) {
        names.push_back(one.name);
    }
    const std::string_view meant = nearest(word, names);
    complain(
        "no command \"" + word + "\"" +
        (meant.empty() ? std::string() : "; did you mean " + std::string(meant) + "?") +
        " \"tocsin help\" lists them");
}

/// What CLI11 says repeats arguments; a URL among them may hold a password.
std::string without_passwords(std::string text, int argc, const char* const* argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string argument(argv[i]);
        const bool may_be_url = argument.find(':') < argument.rfind('@');
        const std::string masked = may_be_url ? without_password(argument) : argument;
        if (masked == argument) {
            continue;
        }
        for (const std::string& form : {argument, argument.substr(argument.find('=') + 1)}) {
            const std::string safe = without_password(form);
            for (std::size_t at = text.find(form); at != std::string::npos;
                 at = text.find(form, at + safe.size())) {
                text.replace(at, form.size(), safe);
            }
        }
    }
    return text;
}

int tell_problem(const std::string& problem, const std::vector<std::string>& path) {
    complain(problem);
    complain(
        path.empty() ? std::string("\"tocsin help\" lists the commands")
                     : "see \"tocsin " + joined(path) + " --help\"");
    return exit_usage;
}

}  // namespace

int run_command_line(const std::vector<command>& commands, int argc, const char* const* argv) {
    CLI::App root("", "tocsin");
    common_options common;
    bool asks_version = false;
    root.fallthrough();
    root.require_subcommand(0, 1);  // One at most: `tocsin status pause` asks for the event "pause".
    add_options(root, common_option_table(common));
    root.add_flag("--version", asks_version);
    const setting_flags settings(root);
    for (const command& one : commands) {
        add_command(root, one);
    }
    if (argc > 1 && is_unknown_command(commands, argv[1])) {
        tell_unknown(commands, without_password(argv[1]));
        return exit_usage;
    }
    try {
        root.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        const std::vector<std::string> path = path_of(root);
        const command* const about = find_command(commands, path);
        print(about == nullptr ? overview(commands) : help_of(*about, joined(path)));
        return exit_ok;
    } catch (const CLI::ParseError& problem) {
        return tell_problem(without_passwords(problem.what(), argc, argv), path_of(root));
    }
    if (asks_version) {
        if (common.json) {
            print_json(version_document());
        } else {
            print(std::string("tocsin ") + version);
        }
        return exit_ok;
    }
    const command* const asked = find_command(commands, path_of(root));
    if (asked == nullptr) {
        print(overview(commands));
        return exit_usage;
    }
    common.settings = settings.given();
    return run_to_end([&] { return asked->run(common); });
}

}  // namespace tocsin::cli
