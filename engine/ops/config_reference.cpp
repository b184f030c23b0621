#include "engine/ops/config.hpp"
#include "engine/ops/config_keys.hpp"

#include <iterator>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace tocsin {
namespace {

constexpr std::string_view introduction = R"(# Configuration

One TOML file. It is the one that `--config` names, else the one that `TOCSIN_CONFIG` names, else
`./tocsin.toml`, else `/etc/tocsin/tocsin.toml`; without any of them every key has its default.

A command-line flag wins over the environment, the environment over the file, the file over the default.
Each key outside `[[app]]` can be set by an environment variable, named in its row.

An unknown key, a wrong type, a variable that begins like one of ours and is none, and a key file that is
missing, malformed or open to others are errors: every one is reported with its file, line and key, nothing
starts, and the exit code is 78. `tocsin check-config` does the same without starting.

This page is made by the engine from the table that it reads the file with.

## Types

| type | is written |
|---|---|
| text | in quotes |
| path | in quotes; relative to the folder of the configuration file, or, in a flag or the environment, to the current folder; `$CREDENTIALS_DIRECTORY/NAME` is a credential of systemd's |
| number | a whole number, 0 or more |
| duration | a number and its unit in quotes: `"500ms"`, `"25s"`, `"30m"`, `"4h"`, `"1d"`; a bare number is seconds |
| list | texts in brackets: `["21231", "21054"]`; in a flag or the environment, with commas between them |

A file that holds a secret belongs to the engine's user and to nobody else (`chmod 600`), or to root, who lets only the
engine's user or group read it: [Mount secrets](../how-to/mount-secrets.md).

## Example

```toml
[redis]
url = "redis://127.0.0.1:6379/0"

[[app]]
id = "mairies"
communes = ["*"]

  [app.apns]
  topic = "fr.example.mairies"
  team_id = "ABCDE12345"
  key_id = "KEY1234567"
  key_file = "AuthKey_KEY1234567.p8"

  [app.fcm]
  service_account_file = "service-account.json"
  rate = 9000

[[app]]
id = "dijon"
communes = ["21231"]

  [app.fcm]
  service_account_file = "dijon.json"
```
)";

constexpr std::string_view conclusion = R"(
## Checks

- `app.id` is unique.
- An app has one or more of `[app.apns]`, `[app.fcm]` and `[app.webpush]`.
- `[app.apns]` has `key_file` with `key_id` and `team_id`, or `certificate_file` with `certificate_key_file`.
- `key_file` is a PEM private key on the curve P-256. A service account's key is RSA of at least 2048 bits,
  and its file has `client_email`, `private_key`, `token_uri` and `project_id`. Certificates are in their
  time of validity, and fit their key.
- `quiet_hours.from` and `to` are both there or neither, from `00:00` to `23:59`, and differ. `critical` is none of the
  `priorities`. The system knows the time zones.
- `vapid_key_file` is a PEM private key on the curve P-256. A subject is `mailto:` with an address, or an `https:`
  URL. `services` are origins: `https://`, a host name, perhaps a port, and nothing behind.
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
std::string default_text(const config_key& key) {
    if (!key.default_text.empty()) {
        return std::string(key.default_text);
    }
    settings fresh;
    app_settings app;
    app.apns.emplace();
    app.fcm.emplace();
    app.webpush.emplace();
    const auto target = [&]() -> config_target {
        switch (key.section) {
            case config_section::redis: return &fresh.redis;
            case config_section::engine: return &fresh.engine;
            case config_section::admin: return &fresh.admin;
            case config_section::log: return &fresh.log;
            case config_section::territories: return &fresh.territories;
            case config_section::quiet_hours: return &fresh.quiet_hours;
            case config_section::app: return &app;
            case config_section::apns: return &*app.apns;
            case config_section::fcm: return &*app.fcm;
            case config_section::webpush: return &*app.webpush;
        }
        return &fresh.redis;
    }();
    return fmt::format("`{}`", to_toml(key.read(target)));
}

}  // namespace

std::string configuration_reference() {
    std::string page(introduction);
    const auto out = std::back_inserter(page);
    for (const config_section_description& section : config_section_table()) {
        fmt::format_to(out, "\n## `{}`\n\n{}\n\n", section.header, section.help);
        if (section.in_environment) {
            page += "| key | type | default | environment | meaning |\n|---|---|---|---|---|\n";
        } else {
            page += "| key | type | default | meaning |\n|---|---|---|---|\n";
        }
        for (const config_key& key : config_key_table()) {
            if (key.section != section.id) {
                continue;
            }
            fmt::format_to(out, "| `{}` | {} | {} |", key.name, type_text(key), default_text(key));
            if (section.in_environment) {
                fmt::format_to(out, " `{}` |", environment_name(key));
            }
            fmt::format_to(out, " {} |\n", key.help);
        }
    }
    page += conclusion;
    return page;
}

}  // namespace tocsin
