#include "providers/common/https_url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>
#include <system_error>

namespace tocsin {

parsed<https_url> parse_https_url(std::string_view text, std::string_view field) {
    const auto refuse = [&](std::string_view why) {
        std::string message(field);
        message += ": \"";
        message += text;
        message += "\" ";
        message += why;
        return refusal{"url", std::move(message)};
    };
    const auto url = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
    if (url.has_error()) {
        return refuse("is not a URL");
    }
    if (url->scheme() != "https") {
        return refuse("must start with https://: credentials are not sent in the clear");
    }
    if (url->has_userinfo() || url->has_fragment()) {
        return refuse("may have neither a user name nor a fragment");
    }
    https_url out;
    out.host = url->host_address();
    if (out.host.empty() || out.host == ".") {
        return refuse("names no host");
    }
    if (url->has_port() && !url->port().empty()) {
        // Not port_number(): it wraps around.
        const auto digits = url->port();
        const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
        if (ec != std::errc() || out.port == 0) {
            return refuse("has a port that is not in 1 ... 65535");
        }
    }
    out.target = std::string(url->encoded_path());
    if (out.target.empty()) {
        out.target = "/";
    }
    if (url->has_query()) {
        out.target += '?';
        out.target += std::string(url->encoded_query());
    }
    const auto host = url->encoded_host();
    out.authority.assign(host.data(), host.size());
    // As in SNI: a server that compares the two would find that they differ.
    if (out.authority.ends_with('.')) {
        out.authority.pop_back();
    }
    if (out.port != 443) {
        out.authority += ':' + std::to_string(out.port);
    }
    return out;
}

}  // namespace tocsin
