#include "tools/tocsin/help.hpp"

#include "engine/ops/config.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <algorithm>
#include <iterator>
#include <memory>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

constexpr std::size_t page_width = 80;
constexpr std::size_t widest_name = 24;

/// Names on the left, explanations beside them.
class two_columns {
public:
    void add(std::string name, std::string text) { rows_.emplace_back(std::move(name), std::move(text)); }

    [[nodiscard]] std::string text() const {
        std::size_t widest = 0;
        for (const auto& [name, unused] : rows_) {
            widest = std::max(widest, std::min(shown_width(name), widest_name));
        }
        const std::size_t column = widest + 4;
        std::string out;
        for (const auto& [name, text] : rows_) {
            out += "  " + name;
            const std::size_t used = shown_width(name) + 2;
            out += used + 2 > column ? "\n" + std::string(column, ' ') : std::string(column - used, ' ');
            out += wrapped(text, page_width - column, column) + "\n";
        }
        return out;
    }

private:
    std::vector<std::pair<std::string, std::string>> rows_;
};

std::string indented(std::string_view lines) {
    std::string out;
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        out += "  " + std::string(lines.substr(0, end)) + "\n";
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    return out;
}

std::string column_name(const option& one) {
    return one.spelled();
}

std::string column_text(const option& one) {
    std::string out = without_marks(one.help());
    std::string notes;
    const auto note = [&notes](const std::string& text) { notes += (notes.empty() ? "" : "; ") + text; };
    if (one.is_required() && !one.is_argument()) {
        note("required");
    }
    if (one.is_list()) {
        note("repeatable");
    }
    if (!one.preset().empty()) {
        note("default " + one.preset());
    }
    return notes.empty() ? out : out + " (" + notes + ")";
}

std::string usage_of(const command& about, std::string_view path) {
    std::string out = fmt::format("tocsin {}", path);
    if (about.run == nullptr) {
        return out + " ACTION [OPTIONS]";
    }
    for (const option& one : about.options) {
        if (one.is_required() || one.is_argument()) {
            out += " " + one.synopsis();
        }
    }
    return wrapped(out + " [OPTIONS]", page_width - 7, 9);
}

std::string option_rows(std::span<const option> options, bool arguments) {
    two_columns rows;
    for (const option& one : options) {
        if (one.is_argument() == arguments) {
            rows.add(column_name(one), column_text(one));
        }
    }
    return rows.text();
}

/// The paragraphs of `details`, each wrapped unless it begins with a blank.
std::string paragraphs(std::string_view details) {
    std::string out;
    while (!details.empty()) {
        const std::size_t end = std::min(details.find("\n\n"), details.size());
        std::string one(details.substr(0, end));
        details.remove_prefix(std::min(end + 2, details.size()));
        if (one.starts_with(' ')) {
            out += "\n" + one + "\n";
        } else {
            std::ranges::replace(one, '\n', ' ');
            out += "\n" + wrapped(without_marks(one), page_width, 0) + "\n";
        }
    }
    return out;
}

}  // namespace

std::string without_marks(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::size_t middle = text[i] == '[' ? text.find("](", i) : std::string_view::npos;
        const std::size_t end = middle == std::string_view::npos ? middle : text.find(')', middle);
        if (end != std::string_view::npos &&
            text.substr(i + 1, middle - i - 1).find('[') == std::string_view::npos) {
            out += without_marks(text.substr(i + 1, middle - i - 1));
            i = end;
        } else if (text[i] != '`') {
            out += text[i];
        }
    }
    return out;
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
    std::string out;
    std::size_t used = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (word.empty()) {
            continue;
        }
        if (used != 0 && used + 1 + shown_width(word) > width) {
            out += "\n" + std::string(indent, ' ');
            used = 0;
        }
        out += (used == 0 ? "" : " ") + std::string(word);
        used += (used == 0 ? 0 : 1) + shown_width(word);
    }
    return out;
}

std::string overview(std::span<const command> commands) {
    std::string out =
        "Tocsin: push notifications to the residents who follow a French commune.\n\n"
        "Usage: tocsin COMMAND [OPTIONS]\n\n";
    std::size_t widest = 0;
    for (const command& one : commands) {
        widest = std::max(widest, one.name.size());
    }
    for (std::size_t g = 0; g < command_group_count; ++g) {
        const auto group = static_cast<command_group>(g);
        std::string_view heading = to_string(group);
        for (const command& one : commands) {
            if (one.group == group) {
                fmt::format_to(
                    std::back_inserter(out), "{:<9}{:<{}}  {}\n", heading, one.name, widest, one.summary);
                heading = "";
            }
        }
    }
    return out + "\nMore: \"tocsin COMMAND --help\", \"tocsin help settings\", \"tocsin --version\".";
}

std::string help_of(const command& about, std::string_view path) {
    std::string out = about.summary + "\n";
    if (!about.examples.empty()) {
        out += "\nExamples:\n" + indented(about.examples);
    }
    out += "\nUsage: " + usage_of(about, path) + "\n";
    const auto section = [&out](std::string_view title, const std::string& rows) {
        if (!rows.empty()) {
            fmt::format_to(std::back_inserter(out), "\n{}:\n{}", title, rows);
        }
    };
    two_columns actions;
    for (const command& one : about.actions) {
        actions.add(one.name, one.summary);
    }
    section("Actions", actions.text());
    section("Arguments", option_rows(about.options, true));
    section("Options", option_rows(about.options, false));
    common_options unused;
    section("Options of every command", option_rows(common_option_table(unused), false));
    out += paragraphs(about.details);
    return out + "\nSettings have flags, too, such as --redis.url: \"tocsin help settings\".";
}

std::string help_of_settings() {
    std::string out =
        "Every key of the configuration outside [[app]] is also a flag of every command\n"
        "and a variable of the environment. A flag wins over the environment, the\n"
        "environment over the file.\n";
    two_columns rows;
    for (const config_flag& one : config_flags()) {
        rows.add("--" + one.key, without_marks(one.help) + " (" + one.environment + ")");
    }
    return out + "\n" + rows.text() + "\nThe keys of [[app]]: docs/reference/configuration.md.";
}

std::vector<option> common_option_table(common_options& into) {
    std::vector<option> out;
    out.push_back(option(
                      "--config", into.config,
                      "The configuration; else `TOCSIN_CONFIG`, ./tocsin.toml, /etc/tocsin/tocsin.toml")
                      .value("FILE"));
    out.emplace_back("--json", into.json, "Print JSON only");
    out.emplace_back("--show-tokens", into.show_tokens, "Print device tokens whole");
    return out;
}

const command* find_command(std::span<const command> commands, std::span<const std::string> path) {
    const command* found = nullptr;
    for (const std::string& word : path) {
        const auto at = std::ranges::find(commands, word, &command::name);
        if (at == commands.end()) {
            return nullptr;
        }
        found = &*at;
        commands = found->actions;
    }
    return found;
}

command help_command() {
    const auto words = std::make_shared<std::vector<std::string>>();
    return {
        .name = "help",
        .group = command_group::help,
        .summary = "Say what a command or a setting does.",
        .examples =
            "tocsin help\n"
            "tocsin help publish\n"
            "tocsin help devices import\n"
            "tocsin help settings\n",
        .options = {option("COMMAND", *words, "A command, its action, or `settings`")},
        .run =
            [words](const common_options&) {
                const std::vector<command> commands = all_commands();
                if (words->empty()) {
                    print(overview(commands));
                    return int{exit_ok};
                }
                if (*words == std::vector<std::string>{"settings"}) {
                    print(help_of_settings());
                    return int{exit_ok};
                }
                const std::string path = fmt::format("{}", fmt::join(*words, " "));
                const command* const about = find_command(commands, *words);
                if (about == nullptr) {
                    complain("no command \"" + path + "\": \"tocsin help\" lists them");
                    return int{exit_usage};
                }
                print(help_of(*about, path));
                return int{exit_ok};
            },
    };
}

}  // namespace tocsin::cli
