#include "tools/tocsin/command_reference.hpp"

#include "tools/tocsin/help.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

constexpr std::string_view introduction = R"(# Command line

`tocsin` alone lists the commands, `tocsin COMMAND --help` begins with examples. The program makes this page from the
same table.

- Data goes to standard output, messages to standard error. `--json` prints JSON only.
- Colours and progress are for terminals; `NO_COLOR` turns colours off.
- Device tokens are shortened (`5f2c…e8f0`) in everything that is printed, unless `--show-tokens` is given. In refused
  documents, any word that is long enough to be a token is shortened: 32 hexadecimal digits, or 40 of
  `A-Z a-z 0-9 - _ :`.

## Exit codes

| code | means |
|---|---|
| 0 | done |
| 1 | the operation failed; for an event, it did not end as `finished`. Also if standard output cannot be written, as on a full disk: the output is then cut off, although the command may have done its work |
| 2 | wrong usage |
| 69 | Redis or a provider cannot be reached |
| 78 | the configuration cannot be used |
| 99 | a figure of a benchmark missed an `--assert` |
| 130, 143 | ended by the user or by a second signal |

## Options of every command

)";

constexpr std::string_view more_common_options =
    R"(| `--<section>.<key> VALUE` | any key outside `[[app]]`, over file and environment: `--redis.url`, `--engine.threads`, …; `tocsin help settings` lists them, and [Configuration](configuration.md) |
| `-h`, `--help` | help |
| `--version` | the version; with `--json`, commit and libraries, too |
)";

/// Text that stands in a cell of a table.
std::string cell(std::string text) {
    for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
        text.insert(at, "\\");
    }
    return text;
}

std::string option_table(std::span<const option> options) {
    if (options.empty()) {
        return "";
    }
    const bool presets =
        std::ranges::any_of(options, [](const option& one) { return !one.preset().empty(); });
    std::string out = presets ? "| option | default | is |\n|---|---|---|\n" : "| option | is |\n|---|---|\n";
    for (const option& one : options) {
        const std::string name = one.spelled();
        std::string help = one.help();
        help += one.is_required() ? "; required" : "";
        help += one.is_list() ? "; repeatable" : "";
        fmt::format_to(
            std::back_inserter(out), "| `{}` |{} {} |\n", name,
            presets ? fmt::format(" {} |", one.preset()) : std::string(), cell(std::move(help)));
    }
    return out;
}

void describe(std::string& page, const command& about, std::string_view path, std::string_view level) {
    const auto out = std::back_inserter(page);
    fmt::format_to(out, "\n{} {}\n\n{}\n\n```sh\n{}```\n", level, path, about.summary, about.examples);
    if (!about.options.empty()) {
        page += "\n" + option_table(about.options);
    }
    if (!about.details.empty()) {
        page += "\n" + about.details + "\n";
    }
    for (const command& action : about.actions) {
        describe(page, action, fmt::format("{} {}", path, action.name), "###");
    }
}

}  // namespace

std::string command_reference(std::span<const command> commands) {
    std::string page(introduction);
    common_options unused;
    page += option_table(common_option_table(unused));
    page += more_common_options;
    for (const command& one : commands) {
        describe(page, one, one.name, "##");
    }
    return page;
}

}  // namespace tocsin::cli
