#include "engine/ops/config.hpp"
#include "engine/ops/config_table.hpp"

#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace tocsin {
namespace {

constexpr std::string_view introduction = R"(# Configuration

The configuration is one TOML file: the one that `--config` names, else the one that `TOCSIN_CONFIG` names,
else `./tocsin.toml`, else `/etc/tocsin/tocsin.toml`. Without any of these, every key has its default.

A command-line flag wins over the environment, the environment over the file, the file over the default.
Each key outside `[[app]]` can be set by an environment variable, named in its row.

These are errors: an unknown key, a wrong type, an unknown environment variable that begins like those of a section
(`TOCSIN_REDIS_…`), and a key file that is missing, malformed or open to others. Every error is reported with its
file, line and key, nothing starts, and the exit code is 78. `tocsin check-config` does the same without starting.

The engine makes this page from the table with which it reads the file.

## Types

| type | is written |
|---|---|
| text | in quotes |
| path | in quotes; relative to the folder of the configuration file, or, in a flag or the environment, to the current folder; `$CREDENTIALS_DIRECTORY/NAME` is a credential of systemd |
| number | a whole number, 0 or more |
| duration | a number and its unit in quotes: `"500ms"`, `"25s"`, `"30m"`, `"4h"`, `"1d"`; a bare number is seconds |
| list | texts in brackets: `["21231", "21054"]`; in a flag or the environment, with commas between them |

A file that holds a secret must belong to the engine's user alone (mode 0600 or 0400), or to root with read access for
only the engine's user or group: 0400, 0440, 0640, or an access control list, as Kubernetes, Swarm and systemd mount
secrets. [Mount secrets](../how-to/mount-secrets.md) has the details.

## Example

```toml
)";

// What check_config() wants, but for what is said of platforms.
constexpr std::string_view rules =
    R"(- `quiet_hours.from` and `to` are both set or both absent, from `00:00` to `23:59`, and differ. `critical` is not among
  the `priorities`. The system knows the time zones.
- Certificates are valid at this time, and fit their keys.
- The URLs of providers begin with `https://` and end after the host and port.
)";

std::string_view name_of(config_kind kind) noexcept {
    switch (kind) {
        case config_kind::text: return "text";
        case config_kind::path: return "path";
        case config_kind::count: return "number";
        case config_kind::interval: return "duration";
        case config_kind::list: return "list";
    }
    return "";
}

std::string type_text(const config_key& key) {
    if (key.choices.empty()) {
        return std::string(name_of(key.kind));
    }
    std::string out;
    for (const std::string_view each : key.choices) {
        fmt::format_to(std::back_inserter(out), "{}`\"{}\"`", out.empty() ? "" : ", ", each);
    }
    return out;
}

/// The default is read from settings that nobody has touched: the page cannot say another one.
std::string default_text(const config_table& table, const config_key& key) {
    if (!key.default_text.empty()) {
        return std::string(key.default_text);
    }
    settings fresh;
    app_settings app;
    std::shared_ptr<platform_settings> of_platform;
    config_target target = part_of(fresh, key.section);
    if (const platform_configuration* const one = table.platform_at(key.section)) {
        of_platform = one->fresh();
        target = of_platform.get();
    } else if (key.section == app_section) {
        target = &app;
    }
    return fmt::format("`{}`", to_toml(key.read(target)));
}

/// What a key is about. Where that ends with how its file is to be kept, a page has room for the other ways.
std::string help_text(const config_key& key) {
    constexpr std::string_view mode = "Mode 600.";
    std::string out(key.help);
    if (out.ends_with(mode)) {
        out.replace(
            out.size() - mode.size(), mode.size(),
            "Mode 600 or 400, or [as secrets are mounted](../how-to/mount-secrets.md).");
    }
    return out;
}

}  // namespace

std::string configuration_reference(platform_configurations platforms, std::string_view example) {
    const config_table table(platforms);
    std::string page(introduction);
    page.append(example).append("```\n");
    const auto out = std::back_inserter(page);
    for (const config_section& section : table.sections()) {
        fmt::format_to(out, "\n## `{}`\n\n{}\n\n", section.header, section.help);
        if (section.in_environment) {
            page += "| key | type | default | environment | meaning |\n|---|---|---|---|---|\n";
        } else {
            page += "| key | type | default | meaning |\n|---|---|---|---|\n";
        }
        for (const config_key& key : table.keys()) {
            if (key.section != section.path) {
                continue;
            }
            fmt::format_to(out, "| `{}` | {} | {} |", key.name, type_text(key), default_text(table, key));
            if (section.in_environment) {
                fmt::format_to(out, " `{}` |", environment_name(key));
            }
            fmt::format_to(out, " {} |\n", help_text(key));
        }
    }
    page += "\n## Checks\n\n- `app.id` is unique.\n- An app has " + table.choice_of_platforms() + "\n";
    for (const platform_configuration* const one : platforms) {
        page += one->rules();
    }
    page += rules;
    return page;
}

}  // namespace tocsin
