#include "engine/event/subscription.hpp"

#include "engine/core/c_handle.hpp"
#include "engine/core/text.hpp"
#include "engine/event/device_token.hpp"
#include "engine/event/refusal_codes.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace tocsin {
namespace {

constexpr std::string_view scheme = "https://";
constexpr char uncompressed = 0x04;  // SEC 1, section 2.3.3.

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Base64url; browsers write it without padding, some libraries with.
std::optional<std::string> decoded(std::string_view text) {
    for (int i = 0; i < 2 && text.ends_with('='); ++i) {
        text.remove_suffix(1);
    }
    return from_base64url(text);
}

bool is_on_p256(std::string_view point) {
    const c_handle<EC_GROUP, EC_GROUP_free> curve(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    const c_handle<EC_POINT, EC_POINT_free> place(curve == nullptr ? nullptr : EC_POINT_new(curve.get()));
    const bool fits = place != nullptr &&
                      EC_POINT_oct2point(
                          curve.get(), place.get(), reinterpret_cast<const unsigned char*>(point.data()),
                          point.size(), nullptr) == 1;
    if (!fits) {
        ERR_clear_error();  // Left behind, it would be blamed on the next TLS operation of this thread.
    }
    return fits;
}

refusal bad_key(std::string message) {
    return refuse(refusal_code::invalid_subscription_key, "subscription.keys." + std::move(message));
}

/// What the resolver would take for an IPv4 address though it is not written as one: 2130706433, 0x7f.1.
bool is_number(std::string_view host) {
    const std::string_view last =
        host.substr(host.rfind('.') == std::string_view::npos ? 0 : host.rfind('.') + 1);
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return last.starts_with("0x") || last.starts_with("0X") || std::ranges::all_of(last, digit);
}

/// RFC 3986, section 2: reserved, unreserved, and the percent sign.
bool may_be_in_url(char c) noexcept {
    constexpr std::string_view others = "-._~:/?#[]@!$&'()*+,;=%";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
}

/// Not port_number() of the library: it wraps around.
bool is_port(std::string_view digits) {
    std::uint16_t port = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return failed == std::errc() && end == digits.data() + digits.size() && port != 0;
}

}  // namespace

parsed<std::string> read_subscription_keys(std::string_view p256dh, std::string_view auth) {
    const auto point = decoded(p256dh);
    if (!point) {
        return bad_key("p256dh is not base64url");
    }
    if (point->size() != subscription_point_size + 1 || point->front() != uncompressed) {
        return bad_key(
            "p256dh must be an uncompressed point: 65 bytes of which the first is 4, not " +
            std::to_string(point->size()) + " bytes");
    }
    if (!is_on_p256(*point)) {
        return bad_key("p256dh is not a point on the curve P-256");
    }
    const auto secret = decoded(auth);
    if (!secret) {
        return bad_key("auth is not base64url");
    }
    if (secret->size() != subscription_auth_size) {
        return bad_key("auth must be 16 bytes, not " + std::to_string(secret->size()));
    }
    return point->substr(1) + *secret;
}

std::string written_p256dh(std::string_view keys) {
    return base64url(uncompressed + std::string(keys.substr(0, subscription_point_size)));
}

std::string written_auth(std::string_view keys) {
    return base64url(keys.substr(std::min(keys.size(), subscription_point_size)));
}

parsed<> check_endpoint(std::string_view endpoint, std::string_view path) {
    const auto refused = [&](const std::string& why) {
        return refuse(refusal_code::invalid_endpoint, std::string(path) + ": a Web Push endpoint " + why);
    };
    if (endpoint.size() > max_endpoint) {
        return refused(
            "has at most " + std::to_string(max_endpoint) + " bytes, not " + std::to_string(endpoint.size()));
    }
    constexpr std::string_view example = "is a URL such as \"https://push.example.org/…\"";
    if (!endpoint.starts_with(scheme)) {
        return refused(
            endpoint.find("://") == std::string_view::npos ? std::string(example) : "begins with https://");
    }
    // Looked at before the library does: some of what cannot be in a URL ends it with a failed assertion.
    if (!std::ranges::all_of(endpoint, may_be_in_url)) {
        return refused(std::string(example));
    }
    const auto url = boost::urls::parse_uri(boost::core::string_view(endpoint.data(), endpoint.size()));
    if (!url) {
        return refused(std::string(example));
    }
    if (url->has_userinfo()) {
        return refused("holds neither a user name nor a password");
    }
    if (url->encoded_host().empty()) {
        return refused("names a host");
    }
    const std::string host(url->encoded_host());
    if (url->host_type() != boost::urls::host_type::name || is_number(host)) {
        return refused("names its host, and has no IP address in its place");
    }
    if (!is_word(host, ".-_")) {
        return refused("names its host in ASCII, without percent signs");
    }
    if (url->has_port() && !is_port({url->port().data(), url->port().size()})) {
        return refused("has a port from 1 to 65535, or none");
    }
    // The library lets "host:84path" pass, where the path begins without its slash.
    if (url->encoded_path().empty() || url->encoded_path().front() != '/') {
        return refused("has a path");
    }
    if (url->has_fragment()) {
        return refused("has no fragment");
    }
    return {};
}

std::string origin_of_endpoint(std::string_view endpoint) {
    const auto parts = split_endpoint(endpoint);
    std::string out(scheme);
    if (parts) {
        out += parts->authority;
    }
    std::ranges::transform(out, out.begin(), lower);
    constexpr std::string_view usual = ":443";
    if (out.ends_with(usual)) {
        out.resize(out.size() - usual.size());
    }
    return out;
}

std::optional<endpoint_parts> split_endpoint(std::string_view endpoint) noexcept {
    if (!endpoint.starts_with(scheme)) {
        return std::nullopt;
    }
    endpoint.remove_prefix(scheme.size());
    const std::size_t end = std::min(endpoint.find_first_of("/?"), endpoint.size());
    return endpoint_parts{endpoint.substr(0, end), endpoint.substr(end)};
}

}  // namespace tocsin
