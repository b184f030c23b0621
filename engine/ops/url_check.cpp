#include "engine/ops/url_check.hpp"

#include "engine/core/visible_text.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/scheme.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace tocsin {
namespace {

parsed<boost::urls::url_view> https_url(std::string_view text) {
    const auto url = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
    if (!url || url->encoded_host().empty()) {
        return refusal{
            "url",
            "must be a URL such as \"https://api.example.com\", not \"" + without_password(text) + "\""};
    }
    if (url->scheme_id() != boost::urls::scheme::https) {
        return refusal{"url", "must begin with https://, not \"" + without_password(text) + "\""};
    }
    if (url->has_userinfo()) {
        return refusal{"url", "must not hold a user name or a password"};
    }
    if (url->has_port() && url->port_number() == 0) {
        return refusal{"url", "must have a port from 1 to 65535"};
    }
    return *url;
}

}  // namespace

parsed<> check_https_url(std::string_view text) {
    const auto url = https_url(text);
    if (url.has_error()) {
        return url.error();
    }
    return parsed<>();
}

parsed<std::string> check_https_origin(std::string_view text) {
    const auto url = https_url(text);
    if (url.has_error()) {
        return url.error();
    }
    if ((!url->encoded_path().empty() && url->encoded_path() != "/") || url->has_query() ||
        url->has_fragment()) {
        return refusal{"url", "must end after the host and port, not \"" + without_password(text) + "\""};
    }
    return std::string(text.ends_with('/') ? text.substr(0, text.size() - 1) : text);
}

parsed<std::string> check_service_origin(std::string_view text) {
    auto origin = check_https_origin(text);
    if (origin.has_error()) {
        return origin;
    }
    const auto url = https_url(*origin);
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
