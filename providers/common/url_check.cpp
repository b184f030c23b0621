#include "providers/common/url_check.hpp"

#include "engine/core/visible_text.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/scheme.hpp>
#include <boost/url/url_view.hpp>

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

}  // namespace tocsin
