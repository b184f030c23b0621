#include "providers/fcm/settings.hpp"

#include "engine/core/private_file.hpp"
#include "engine/core/text.hpp"
#include "engine/ops/config_checks.hpp"
#include "engine/ops/config_row.hpp"
#include "providers/auth/pem_key.hpp"
#include "providers/auth/service_account_file.hpp"
#include "providers/common/url_check.hpp"
#include "providers/origin_setting.hpp"
#include "providers/platform_section.hpp"

#include <array>

namespace tocsin {
namespace {

using config_rows::as_path;
using config_rows::key;
using config_rows::none;
using config_rows::required;

constexpr std::string_view section_path = "app.fcm";
constexpr config_section about{section_path, "[app.fcm]", "The app at Google.", false};

constexpr auto rows = std::to_array<config_key>({
    key<&fcm_settings::url>(section_path, "url", "The provider."),
    as_path(key<&fcm_settings::service_account_file>(
        section_path, "service_account_file",
        "The service account's key as Google hands it out (JSON). Its `token_uri` and `project_id` are "
        "honoured. Mode 600.",
        required)),
    key<&fcm_settings::project_id>(
        section_path, "project_id", "Needed only to send to another project than the service account's own.",
        "the service account's"),
    as_path(key<&fcm_settings::ca_file>(
        section_path, "ca_file", "Extra trust root (PEM), for simulators and proxies.", none)),
    rate_row<fcm_settings>(section_path),
});

constexpr std::string_view rules_text =
    R"(- A service account's key is RSA of at least 2048 bits, and its file has `client_email`, `private_key`, `token_uri`
  and `project_id`.
)";

void check_section(fcm_settings& fcm, const std::string& place, config_checks& checks) {
    check_origin(checks, fcm.url, place + ".url");
    checks.check_root(fcm.ca_file, place + ".ca_file");
    if (checks.sound(place + ".project_id") && !is_word(fcm.project_id, "-.:")) {
        checks.problem(
            place + ".project_id", "must be the id of a Google Cloud project, such as \"my-project-1234\"");
    }
    checks.require(
        fcm.service_account_file, place + ".service_account_file",
        "is missing: the JSON key file of a service account that may send to the project");
    checks.check_file(
        fcm.service_account_file, place + ".service_account_file",
        [&](const std::string& path) { return check_service_account(path, fcm.project_id); },
        fcm.project_id.empty() ? "" : "with a project");
}

}  // namespace

const platform_configuration& fcm_configuration() {
    static const platform_section<fcm_settings> out(about, rows, rules_text, check_section);
    return out;
}

parsed<> check_service_account(const std::string& path, const std::string& project) {
    const auto contents = read_private_file(path);
    if (contents.has_error()) {
        return contents.error();
    }
    const auto account = read_service_account_file(*contents);
    if (account.has_error()) {
        return refusal{"malformed", path + " " + account.error().message};
    }
    if (account->project_id.empty() && project.empty()) {
        return refusal{"malformed", path + " " + std::string(no_project)};
    }
    if (const auto uri = check_https_url(account->token_uri); uri.has_error()) {
        return refusal{"malformed", "the token_uri of " + path + " " + uri.error().message};
    }
    const auth::key_handle key = auth::read_private_key(account->private_key);
    if (key == nullptr || !auth::is_rsa(key.get())) {
        return refusal{"malformed", "the private_key of " + path + " is not an RSA key in PEM"};
    }
    if (!auth::is_long_enough(key.get())) {
        return refusal{"malformed", "the private_key of " + path + " is shorter than 2048 bits"};
    }
    return parsed<>();
}

}  // namespace tocsin
