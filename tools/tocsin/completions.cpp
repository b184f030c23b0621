#include "tools/tocsin/completions.hpp"

#include "engine/ops/config.hpp"
#include "tools/tocsin/help.hpp"

#include <functional>
#include <iterator>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

constexpr std::string_view made_of = "# Made of the program's own description of its commands.\n";

/// An option as a completion needs it; settings are options, too.
struct completed_option {
    std::string name;
    std::string help;
    bool takes_value = false;
    bool takes_file = false;
    std::vector<std::string> choices;
};

completed_option completed(const option& one) {
    const std::string word = one.value_word();
    return {
        one.name(), without_marks(one.help()), !one.is_flag() && one.bare().empty(),
        word == "FILE" || word == "DIR", one.choices()};
}

std::vector<completed_option> options_of(const command& about) {
    std::vector<completed_option> out;
    for (const option& one : about.options) {
        if (!one.is_argument()) {
            out.push_back(completed(one));
        }
    }
    return out;
}

std::vector<completed_option> options_of_all() {
    std::vector<completed_option> out;
    common_options unused;
    for (const option& one : common_option_table(unused)) {
        out.push_back(completed(one));
    }
    out.push_back({"--help", "Help", false, false, {}});
    for (const config_flag& flag : config_flags()) {
        const bool is_file = flag.key.ends_with("_file") || flag.key.ends_with(".file");
        out.push_back({"--" + flag.key, without_marks(flag.help), true, is_file, {}});
    }
    return out;
}

/// The values of a first argument: its choices, or files.
std::string arguments_of(const command& about, std::string_view files) {
    for (const option& one : about.options) {
        if (one.is_argument()) {
            const std::string word = one.value_word();
            return !one.choices().empty() ? fmt::format("{}", fmt::join(one.choices(), " "))
                   : one.name() == "FILE" ? std::string(files)
                                          : std::string();
        }
    }
    return "";
}

/// Calls `visit` with every command and every action, and the words that lead to it.
void walk(
    std::span<const command> commands, const std::string& path,
    const std::function<void(const command&, const std::string&)>& visit) {
    for (const command& one : commands) {
        const std::string here = path.empty() ? one.name : path + " " + one.name;
        visit(one, here);
        walk(one.actions, here, visit);
    }
}

std::string names(std::span<const command> commands) {
    std::string out;
    for (const command& one : commands) {
        out += (out.empty() ? "" : " ") + one.name;
    }
    return out;
}

std::string names(std::span<const completed_option> options) {
    std::string out;
    for (const completed_option& one : options) {
        out += (out.empty() ? "" : " ") + one.name;
    }
    return out;
}

/// In single quotes of a shell.
std::string shell_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return out + "'";
}

}  // namespace

std::string bash_completion(std::span<const command> commands) {
    std::string out(made_of);
    out +=
        "_tocsin() {\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path='' word i\n"
        "    COMPREPLY=()\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        word=${COMP_WORDS[i]}\n"
        "        case \"$path/$word\" in\n";
    walk(commands, "", [&](const command& about, const std::string& path) {
        const std::size_t last = path.rfind(' ');
        const std::string parent = last == std::string::npos ? "" : path.substr(0, last);
        fmt::format_to(
            std::back_inserter(out), "            {}/{}) path={} ;;\n",
            parent.empty() ? "" : shell_quoted(parent), about.name, shell_quoted(path));
    });
    out +=
        "        esac\n"
        "    done\n"
        "    case \"$path:$prev\" in\n";
    const auto values = [&out](const std::string& path, const std::vector<completed_option>& options) {
        for (const completed_option& one : options) {
            const std::string pattern = path.empty() ? "*:" + one.name : shell_quoted(path) + ":" + one.name;
            if (!one.choices.empty()) {
                fmt::format_to(
                    std::back_inserter(out),
                    "        {}) COMPREPLY=($(compgen -W {} -- \"$cur\")); return ;;\n", pattern,
                    shell_quoted(fmt::format("{}", fmt::join(one.choices, " "))));
            } else if (one.takes_file) {
                fmt::format_to(
                    std::back_inserter(out),
                    "        {}) compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n",
                    pattern);
            } else if (one.takes_value) {
                fmt::format_to(std::back_inserter(out), "        {}) return ;;\n", pattern);
            }
        }
    };
    walk(commands, "", [&](const command& about, const std::string& path) {
        values(path, options_of(about));
    });
    values("", options_of_all());
    out += "    esac\n    local all=" + shell_quoted(names(options_of_all())) + "\n    case \"$path\" in\n";
    fmt::format_to(
        std::back_inserter(out),
        "        '') COMPREPLY=($(compgen -W \"{} --version $all\" -- \"$cur\")) ;;\n", names(commands));
    walk(commands, "", [&](const command& about, const std::string& path) {
        const std::string files = arguments_of(about, "*");
        const std::string words = fmt::format(
            "{} {} {}", names(about.actions), names(options_of(about)), files == "*" ? "" : files);
        fmt::format_to(
            std::back_inserter(out),
            "        {})\n            COMPREPLY=($(compgen -W \"{} $all\" -- \"$cur\"))\n",
            shell_quoted(path), words);
        if (files == "*") {
            out +=
                "            [[ $cur == -* ]] || { compopt -o filenames; COMPREPLY=($(compgen -f -- "
                "\"$cur\")); }\n";
        }
        out += "            ;;\n";
    });
    return out + "    esac\n}\ncomplete -F _tocsin tocsin\n";
}

std::string zsh_completion(std::span<const command> commands) {
    const auto bracketed = [](std::string_view text) {
        std::string out;
        for (const char c : text) {
            out += c == '[' || c == ']' || c == ':' || c == '\\' ? std::string("\\") + c : std::string(1, c);
        }
        return out;
    };
    const auto spec = [&](const completed_option& one) {
        std::string out = fmt::format("*{}[{}]", one.name, bracketed(one.help));
        if (!one.choices.empty()) {
            out += fmt::format(":value:({})", fmt::join(one.choices, " "));
        } else if (one.takes_file) {
            out += ":file:_files";
        } else if (one.takes_value) {
            out += ":value: ";
        }
        return shell_quoted(out);
    };
    std::string out = "#compdef tocsin\n" + std::string(made_of);
    out += "_tocsin_common=(\n";
    for (const completed_option& one : options_of_all()) {
        out += "    " + spec(one) + "\n";
    }
    out += ")\n\n_tocsin() {\n    local -a words_of options\n    local path='' word i\n";
    out += "    for ((i = 2; i < CURRENT; i++)); do\n        case \"$path/${words[i]}\" in\n";
    walk(commands, "", [&](const command& about, const std::string& path) {
        const std::size_t last = path.rfind(' ');
        const std::string parent = last == std::string::npos ? "" : shell_quoted(path.substr(0, last));
        fmt::format_to(
            std::back_inserter(out), "            {}/{}) path={} ;;\n", parent, about.name,
            shell_quoted(path));
    });
    out += "        esac\n    done\n    case \"$path\" in\n";
    const auto described = [&](std::span<const command> of) {
        for (const command& one : of) {
            out += " " + shell_quoted(bracketed(one.name) + ":" + bracketed(one.summary));
        }
    };
    out += "        '')\n            words_of=(";
    described(commands);
    out +=
        ")\n            _describe command words_of\n            _arguments '--version[The version]' "
        "$_tocsin_common\n            ;;\n";
    walk(commands, "", [&](const command& about, const std::string& path) {
        fmt::format_to(std::back_inserter(out), "        {})\n", shell_quoted(path));
        if (!about.actions.empty()) {
            out += "            words_of=(";
            described(about.actions);
            out += ")\n            _describe action words_of\n";
        }
        out += "            options=(";
        for (const completed_option& one : options_of(about)) {
            out += "\n                " + spec(one);
        }
        const std::string values = arguments_of(about, "*");
        if (!values.empty()) {
            out += "\n                " +
                   shell_quoted(values == "*" ? "*:file:_files" : "*:value:(" + values + ")");
        }
        out += ")\n            _arguments $options $_tocsin_common\n            ;;\n";
    });
    return out + "    esac\n}\n\n_tocsin \"$@\"\n";
}

std::string fish_completion(std::span<const command> commands) {
    const auto line = [](const completed_option& one) {
        std::string out = fmt::format(" -l {}", shell_quoted(one.name.substr(2)));
        if (!one.choices.empty()) {
            out += " -x -a " + shell_quoted(fmt::format("{}", fmt::join(one.choices, " ")));
        } else if (one.takes_file) {
            out += " -r -F";
        } else if (one.takes_value) {
            out += " -x";
        }
        return out + " -d " + shell_quoted(one.help) + "\n";
    };
    std::string out(made_of);
    out += "complete -c tocsin -f\n";
    for (const completed_option& one : options_of_all()) {
        out += "complete -c tocsin" + line(one);
    }
    for (const command& one : commands) {
        out += fmt::format(
            "complete -c tocsin -n __fish_use_subcommand -a {} -d {}\n", shell_quoted(one.name),
            shell_quoted(one.summary));
    }
    for (const command& about : commands) {
        const std::string condition = " -n " + shell_quoted("__fish_seen_subcommand_from " + about.name);
        for (const completed_option& one : options_of(about)) {
            out += "complete -c tocsin" + condition + line(one);
        }
        for (const command& action : about.actions) {
            out += fmt::format(
                "complete -c tocsin -n {} -a {} -d {}\n",
                shell_quoted(fmt::format(
                    "__fish_seen_subcommand_from {}; and not __fish_seen_subcommand_from {}", about.name,
                    names(about.actions))),
                shell_quoted(action.name), shell_quoted(action.summary));
            const std::string within =
                " -n " + shell_quoted(fmt::format(
                             "__fish_seen_subcommand_from {}; and __fish_seen_subcommand_from {}", about.name,
                             action.name));
            for (const completed_option& one : options_of(action)) {
                out += "complete -c tocsin" + within + line(one);
            }
            if (arguments_of(action, "*") == "*") {
                out += "complete -c tocsin" + within + " -F\n";
            }
        }
        const std::string values = arguments_of(about, "*");
        if (values == "*") {
            out += "complete -c tocsin" + condition + " -F\n";
        } else if (!values.empty()) {
            out += "complete -c tocsin" + condition + " -a " + shell_quoted(values) + "\n";
        }
    }
    return out;
}

}  // namespace tocsin::cli
