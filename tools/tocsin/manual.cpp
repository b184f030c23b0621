#include "tools/tocsin/manual.hpp"

#include "engine/ops/config_table.hpp"
#include "providers/platforms.hpp"
#include "tools/tocsin/help.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

/// Text as roff takes it: a backslash and what would begin a request are escaped, and a hyphen stays one that
/// can be copied.
std::string roff(std::string_view text) {
    std::string out;
    bool begins_line = true;
    for (const char c : text) {
        if (begins_line && (c == '.' || c == '\'')) {
            out += "\\&";
        }
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
        begins_line = c == '\n';
    }
    return out;
}

/// Text with `code` in bold and [links](to/pages.md) as their words.
std::string marked(std::string_view text) {
    std::string out;
    bool code = false;
    while (!text.empty()) {
        const std::size_t tick = std::min(text.find('`'), text.size());
        const std::string part =
            code ? std::string(text.substr(0, tick)) : without_marks(text.substr(0, tick));
        out += roff(part);
        if (tick != text.size()) {
            code = !code;
            out += code ? "\\fB" : "\\fR";
        }
        text.remove_prefix(std::min(tick + 1, text.size()));
    }
    return out;
}

std::string head(std::string_view name, int section, const manual_stamp& stamp, std::string_view summary) {
    std::string upper(name);
    std::ranges::transform(upper, upper.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    std::string line(summary);
    if (line.ends_with('.')) {
        line.pop_back();
    }
    return fmt::format(
        ".\\\" Made of the program's own description of its commands.\n"
        ".TH {} {} {} \"tocsin {}\" \"Tocsin\"\n.SH NAME\n{} \\- {}\n",
        roff(upper), section, stamp.date, stamp.version, roff(name), roff(line));
}

std::string verbatim(std::string_view lines) {
    return ".PP\n.EX\n" + roff(lines) + (lines.ends_with('\n') ? "" : "\n") + ".EE\n";
}

std::string described(const option& one) {
    std::string out = ".TP\n\\fB" + roff(one.name()) + "\\fR";
    if (const std::string rest = one.spelled().substr(one.name().size()); !rest.empty()) {
        out += (one.bare().empty() ? " \\fI" + roff(rest.substr(1)) : "\\fI" + roff(rest)) + "\\fR";
    }
    out += "\n" + marked(one.help());
    out += one.is_required() ? " (required)" : "";
    out += one.is_list() ? " (repeatable)" : "";
    out += one.preset().empty() ? "" : " (default " + roff(one.preset()) + ")";
    return out + ".\n";
}

std::string described(std::span<const option> options) {
    std::string out;
    for (const option& one : options) {
        out += described(one);
    }
    return out;
}

std::string paragraphs(std::string_view details) {
    std::string out;
    while (!details.empty()) {
        const std::size_t end = std::min(details.find("\n\n"), details.size());
        const std::string_view one = details.substr(0, end);
        out += one.starts_with(' ') ? verbatim(one) : ".PP\n" + marked(one) + "\n";
        details.remove_prefix(std::min(end + 2, details.size()));
    }
    return out;
}

std::string synopsis(const command& about, std::string_view path) {
    std::string out = ".SY \"tocsin " + roff(path) + "\"\n";
    if (about.run == nullptr) {
        return out + "\\fIACTION\\fR\n[\\fIOPTIONS\\fR]\n.YS\n";
    }
    for (const option& one : about.options) {
        if (one.is_required() || one.is_argument()) {
            out += roff(one.synopsis()) + "\n";
        }
    }
    return out + "[\\fIOPTIONS\\fR]\n.YS\n";
}

constexpr std::string_view exit_status = R"(.SH EXIT STATUS
.TP
0
Done.
.TP
1
The operation failed; for an event, it did not end as finished.
.TP
2
Wrong usage.
.TP
69
Redis or a provider cannot be reached.
.TP
78
The configuration cannot be used.
.TP
99
A figure of a benchmark missed an
.BR \-\-assert .
.TP
130, 143
Ended by the user or by a second signal.
)";

constexpr std::string_view files = R"(.SH ENVIRONMENT
.TP
.B TOCSIN_CONFIG
The configuration, if no
.B \-\-config
names one.
.TP
.BI TOCSIN_ SECTION _ KEY
Any key outside
.BR [[app]] ,
over the file:
.BR TOCSIN_REDIS_URL .
.TP
.B CREDENTIALS_DIRECTORY
What
.B $CREDENTIALS_DIRECTORY/
at the beginning of a path stands for; set by systemd.
.TP
.B NO_COLOR
Turns colours off.
.SH FILES
.TP
.I ./tocsin.toml
.TQ
.I /etc/tocsin/tocsin.toml
The configuration, if nothing names one.
)";

}  // namespace

std::string manual_overview(std::span<const command> commands, const manual_stamp& stamp) {
    std::string out =
        head("tocsin", 1, stamp, "push notifications to the residents who follow a French commune");
    out +=
        ".SH SYNOPSIS\n.SY tocsin\n\\fICOMMAND\\fR\n[\\fIOPTIONS\\fR]\n.YS\n"
        ".SH DESCRIPTION\nAn engine reads events from Redis and sends each to the devices that follow the "
        "communes that it is for, through APNs, FCM and Web Push. The same program publishes, watches, "
        "imports devices, and tests.\n"
        ".SH COMMANDS\n";
    for (std::size_t g = 0; g < command_group_count; ++g) {
        bool first = true;
        for (const command& one : commands) {
            if (one.group == static_cast<command_group>(g)) {
                out += first ? fmt::format(".SS {}\n", to_string(one.group)) : "";
                first = false;
                out += ".TP\n.BR tocsin\\-" + roff(one.name) + " (1)\n" + roff(one.summary) + "\n";
            }
        }
    }
    common_options unused;
    out += ".SH OPTIONS\n" + described(common_option_table(unused));
    out +=
        ".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nHelp.\n.TP\n\\fB\\-\\-version\\fR\nThe version; with "
        "\\fB\\-\\-json\\fR, commit and libraries, too.\n.TP\n\\fB\\-\\-\\fIsection\\fB.\\fIkey\\fR "
        "\\fIVALUE\\fR\nAny key of the configuration outside \\fB[[app]]\\fR: \\fBtocsin help "
        "settings\\fR.\n";
    out += exit_status;
    out += files;
    return out + ".SH SEE ALSO\n.BR tocsin.toml (5)\n";
}

std::string manual_page(const command& about, const manual_stamp& stamp) {
    std::string out = head("tocsin-" + about.name, 1, stamp, about.summary);
    out += ".SH SYNOPSIS\n" + synopsis(about, about.name);
    for (const command& action : about.actions) {
        out += synopsis(action, about.name + " " + action.name);
    }
    out += ".SH DESCRIPTION\n" + roff(about.summary) + "\n" + paragraphs(about.details);
    if (!about.options.empty()) {
        out += ".SH OPTIONS\n" + described(about.options);
    }
    if (!about.actions.empty()) {
        out += ".SH ACTIONS\n";
    }
    for (const command& action : about.actions) {
        out += ".SS " + roff(action.name) + "\n" + roff(action.summary) + "\n" + described(action.options);
        out += paragraphs(action.details);
    }
    out += ".SH EXAMPLES\n" + verbatim(about.examples);
    for (const command& action : about.actions) {
        if (about.examples.find(action.examples) == std::string::npos) {
            out += verbatim(action.examples);
        }
    }
    return out + ".SH SEE ALSO\n.BR tocsin (1)\n";
}

std::string manual_of_configuration(const manual_stamp& stamp) {
    std::string out = head("tocsin.toml", 5, stamp, "configuration of Tocsin");
    out +=
        ".SH DESCRIPTION\nOne TOML file. A flag of the command line wins over the environment, the "
        "environment over the file, the file over the default. Relative paths are relative to the file. An "
        "unknown key, a wrong type, and a key file that is missing, malformed or open to others are errors; "
        "\\fBtocsin check\\-config\\fR reports all of them.\n";
    const config_table table(all_platform_configurations());
    for (const config_section& section : table.sections()) {
        out += ".SH \"" + roff(section.header) + "\"\n" + marked(section.help) + "\n";
        for (const config_key& key : table.keys()) {
            if (key.section == section.path) {
                out += ".TP\n\\fB" + roff(key.name) + "\\fR\n" + marked(key.help) + "\n";
                if (section.in_environment) {
                    out += "(" + roff(environment_name(key)) + ")\n";
                }
            }
        }
    }
    return out + ".SH SEE ALSO\n.BR tocsin (1),\n.BR tocsin\\-check\\-config (1)\n";
}

}  // namespace tocsin::cli
