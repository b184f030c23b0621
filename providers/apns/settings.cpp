#include "providers/apns/settings.hpp"

#include "engine/core/text.hpp"
#include "engine/ops/config_checks.hpp"
#include "engine/ops/config_row.hpp"
#include "providers/auth/pem_key.hpp"
#include "providers/origin_setting.hpp"
#include "providers/platform_section.hpp"

#include <array>

namespace tocsin {
namespace {

using config_rows::as_path;
using config_rows::key;
using config_rows::none;
using config_rows::required;

constexpr std::string_view section_path = "app.apns";
constexpr config_section about{
    section_path, "[app.apns]",
    "The app at Apple. It authenticates with a signing key (`key_file`, `key_id`, `team_id`) or with a "
    "certificate (`certificate_file`, `certificate_key_file`).",
    false};

constexpr auto rows = std::to_array<config_key>({
    key<&apns_settings::url>(
        section_path, "url", "The provider for devices of the environment `production`."),
    key<&apns_settings::sandbox_url>(
        section_path, "sandbox_url", "The provider for devices of the environment `sandbox`."),
    key<&apns_settings::topic>(
        section_path, "topic",
        "The app's bundle id, without the suffix of a push type (`.voip`), which the engine adds.", required),
    key<&apns_settings::team_id>(
        section_path, "team_id", "Apple's id of the team that owns the key, 10 characters.",
        "(required with `key_file`)"),
    key<&apns_settings::key_id>(
        section_path, "key_id", "Apple's id of the signing key, 10 characters.",
        "(required with `key_file`)"),
    as_path(key<&apns_settings::key_file>(
        section_path, "key_file", "The signing key as Apple hands it out (`AuthKey_….p8`). Mode 600.", none)),
    as_path(key<&apns_settings::certificate_file>(
        section_path, "certificate_file", "Client certificate chain (PEM), in place of a signing key.",
        none)),
    as_path(key<&apns_settings::certificate_key_file>(
        section_path, "certificate_key_file", "The certificate's private key (PEM). Mode 600.",
        "(required with `certificate_file`)")),
    as_path(key<&apns_settings::ca_file>(
        section_path, "ca_file", "Extra trust root (PEM), for simulators and proxies.", none)),
    rate_row<apns_settings>(section_path),
});

void check_apple_id(
    config_checks& checks, const std::string& id, const std::string& place, std::string_view what) {
    if (checks.sound(place) && (id.empty() || !is_word(id, ""))) {
        checks.problem(place, "must be " + std::string(what) + ", such as \"ABCDE12345\"");
    }
}

constexpr std::string_view rules_text =
    R"(- `[app.apns]` has `key_file` with `key_id` and `team_id`, or `certificate_file` with `certificate_key_file`.
- `key_file` is a PEM private key on the curve P-256.
)";

void check_section(apns_settings& apns, const std::string& place, config_checks& checks) {
    check_origin(checks, apns.url, place + ".url");
    check_origin(checks, apns.sandbox_url, place + ".sandbox_url");
    checks.require(
        apns.topic, place + ".topic", "is missing: the bundle id of the app, such as \"fr.example.mairies\"");
    checks.check_root(apns.ca_file, place + ".ca_file");

    const bool with_key = !apns.key_file.empty() || !checks.sound(place + ".key_file");
    const bool with_certificate = !apns.certificate_file.empty() ||
                                  !checks.sound(place + ".certificate_file") ||
                                  !apns.certificate_key_file.empty();
    if (with_key && with_certificate) {
        checks.problem(
            place + ".certificate_file",
            "an app authenticates with key_file or with certificate_file; leave one of them out");
    } else if (with_certificate) {
        checks.check_certificate_pair(
            apns.certificate_file, place + ".certificate_file", apns.certificate_key_file,
            place + ".certificate_key_file");
    } else {
        checks.require(
            apns.key_file, place + ".key_file",
            "is missing: the app needs key_file, key_id and team_id, or certificate_file and "
            "certificate_key_file");
        if (with_key) {
            check_apple_id(
                checks, apns.key_id, place + ".key_id",
                "the id of the key, which is in the name of its file");
            check_apple_id(checks, apns.team_id, place + ".team_id", "the id of the team that owns the key");
        }
        checks.check_file(apns.key_file, place + ".key_file", check_apns_key);
    }
}

}  // namespace

const platform_configuration& apns_configuration() {
    static const platform_section<apns_settings> out(about, rows, rules_text, check_section);
    return out;
}

parsed<> check_apns_key(const std::string& path) {
    return auth::check_p256_file(
        path, "it should be the AuthKey_….p8 file from Apple's developer site, unchanged", "APNs");
}

}  // namespace tocsin
