#include "providers/webpush/settings.hpp"

#include "engine/core/visible_text.hpp"
#include "engine/ops/config_checks.hpp"
#include "engine/ops/config_row.hpp"
#include "providers/auth/pem_key.hpp"
#include "providers/common/url_check.hpp"
#include "providers/platform_section.hpp"
#include "providers/webpush/push_services.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace tocsin {
namespace {

using config_rows::as_path;
using config_rows::key;
using config_rows::none;
using config_rows::required;

constexpr std::string_view section_path = "app.webpush";
constexpr config_section about{
    section_path, "[app.webpush]",
    "The app in browsers: those that subscribed with the key of `vapid_key_file`.", false};

constexpr auto rows = std::to_array<config_key>({
    as_path(key<&webpush_settings::vapid_key_file>(
        section_path, "vapid_key_file",
        "The P-256 private key (PEM) whose public half browsers subscribe with; `tocsin vapid new` makes "
        "one. Mode 600.",
        required)),
    key<&webpush_settings::subject>(
        section_path, "subject",
        "The address that a push service can write to about this app: `mailto:` or `https:`, without angle "
        "brackets.",
        required),
    key<&webpush_settings::url>(
        section_path, "url", "The page that a tap on a notification opens if the event has no `url`.",
        required),
    key<&webpush_settings::services>(
        section_path, "services",
        "Origins of push services (`\"https://push.example.org\"`) beside those of Google, Mozilla, Apple "
        "and Microsoft. Those alone may be at private addresses."),
    as_path(key<&webpush_settings::ca_file>(
        section_path, "ca_file", "Extra trust root (PEM), for simulators and services of one's own.", none)),
    rate_row<webpush_settings>(section_path),
});

constexpr std::string_view rules_text =
    R"(- `vapid_key_file` is a PEM private key on the curve P-256. A subject is `mailto:` with an address, or an `https:`
  URL. `services` are origins: `https://`, a host name, perhaps a port, and nothing behind.
)";

void check_section(webpush_settings& webpush, const std::string& place, config_checks& checks) {
    checks.require(
        webpush.vapid_key_file, place + ".vapid_key_file",
        "is missing: the key that browsers subscribe with; `tocsin vapid new` makes one");
    checks.check_file(webpush.vapid_key_file, place + ".vapid_key_file", check_vapid_key);
    checks.require(
        webpush.subject, place + ".subject",
        "is missing: whom a push service can write to, such as \"mailto:dsi@example.fr\"");
    if (!webpush.subject.empty() && checks.sound(place + ".subject")) {
        if (const auto fine = check_vapid_subject(webpush.subject); fine.has_error()) {
            checks.problem(place + ".subject", fine.error().message);
        }
    }
    checks.require(
        webpush.url, place + ".url",
        "is missing: what a tap opens if an event says nothing else, such as \"https://www.example.fr/\"");
    if (!webpush.url.empty() && checks.sound(place + ".url")) {
        if (const auto fine = check_https_url(webpush.url); fine.has_error()) {
            checks.problem(place + ".url", fine.error().message);
        }
    }
    for (std::string& origin : webpush.services) {
        if (!checks.sound(place + ".services")) {
            break;
        }
        auto fine = check_service_origin(origin);
        if (fine.has_error()) {
            checks.problem(place + ".services", fine.error().message);
        } else {
            origin = std::move(*fine);
        }
    }
    checks.check_root(webpush.ca_file, place + ".ca_file");
}

}  // namespace

const platform_configuration& webpush_configuration() {
    static const platform_section<webpush_settings> out(about, rows, rules_text, check_section);
    return out;
}

parsed<> webpush_settings::check_destination(std::string_view endpoint) const {
    return check_push_service(endpoint, services);
}

parsed<> check_vapid_key(const std::string& path) {
    return auth::check_p256_file(path, "`tocsin vapid new` makes one", "Web Push");
}

parsed<std::string> check_service_origin(std::string_view text) {
    auto origin = check_https_origin(text);
    if (origin.has_error()) {
        return origin;
    }
    const auto url = boost::urls::parse_uri(*origin);
    if (url->host_type() != boost::urls::host_type::name) {
        return refusal{"url", "must name a host, not an address: no endpoint may have one"};
    }
    std::string out = "https://";
    out += std::string(url->encoded_host());
    std::ranges::transform(
        out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (const auto port = url->port(); !port.empty() && port != "443") {
        out += ':' + std::string(port);
    }
    return out;
}

parsed<> check_vapid_subject(std::string_view text) {
    const auto bad = [](char c) { return c <= ' ' || c > '~' || c == '<' || c == '>'; };
    if (std::ranges::any_of(text, bad)) {
        return refusal{
            "subject", "must be an address or URL alone, without spaces, angle brackets and accents"};
    }
    if (text.starts_with("mailto:")) {
        const std::string_view address = text.substr(7);
        const std::size_t at = address.find('@');
        if (at == 0 || at == std::string_view::npos || at + 1 == address.size()) {
            return refusal{
                "subject", "must have an address behind mailto:, such as \"mailto:dsi@example.fr\""};
        }
        return {};
    }
    if (!text.starts_with("https:")) {
        return refusal{
            "subject", "must begin with mailto: or https:, such as \"mailto:dsi@example.fr\", not \"" +
                           without_password(text) + "\""};
    }
    return check_https_url(text);
}

}  // namespace tocsin
