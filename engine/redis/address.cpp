#include "engine/redis/address.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>
#include <limits>
#include <optional>

namespace tocsin::redis {
namespace {

/// Never repeats the URL itself: there may be a password in it, and refusals are printed.
refusal refuse(std::string sentence) {
    return {"redis_url", std::move(sentence)};
}

template <class T>
std::optional<T> whole_number(std::string_view text) {
    T value{};
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

parsed<> read_database(std::string_view text, address& into) {
    const auto number = whole_number<int>(text);
    if (!number || *number < 0) {
        return refuse(
            "the database must be a whole number from 0, as in redis://host:6379/0; it is \"" +
            std::string(text) + '"');
    }
    into.database = *number;
    return {};
}

parsed<> read_network(const boost::urls::url_view& url, address& into) {
    if (!url.host_address().empty()) {
        into.host = url.host_address();
    }
    if (url.has_port() && !url.port().empty()) {
        const auto port = whole_number<std::uint16_t>(std::string_view(url.port().data(), url.port().size()));
        if (!port || *port == 0) {
            return refuse("the port must be a number from 1 to 65535");
        }
        into.port = *port;
    }
    if (url.has_query()) {
        return refuse(
            "a " + std::string(into.tls ? "rediss" : "redis") +
            ":// URL takes no ?query; the database follows the port, as in redis://host:6379/0");
    }
    const std::string path = url.path();
    if (path.size() > 1) {
        return read_database(std::string_view(path).substr(1), into);
    }
    return {};
}

parsed<> read_unix(const boost::urls::url_view& url, address& into) {
    if (!url.host_address().empty() || url.has_port()) {
        return refuse(
            "a Unix socket needs its absolute path after three slashes: unix:///run/redis/redis.sock");
    }
    into.unix_path = url.path();
    if (into.unix_path.size() < 2) {
        return refuse("the path of the Unix socket is missing: unix:///run/redis/redis.sock");
    }
    // sockaddr_un holds 108 bytes with the closing zero.
    if (into.unix_path.size() > 107) {
        return refuse("the path of the Unix socket is longer than the 107 bytes that the system takes");
    }
    if (!url.has_query()) {
        return {};
    }
    const std::string query = url.query();
    constexpr std::string_view key = "db=";
    if (!query.starts_with(key)) {
        return refuse("the only ?query of a unix:// URL is the database, as in unix:///path/to.sock?db=0");
    }
    return read_database(std::string_view(query).substr(key.size()), into);
}

}  // namespace

std::string address::describe() const {
    std::string out = !unix_path.empty() ? "unix://" : tls ? "rediss://" : "redis://";
    if (!user.empty()) {
        out += user + '@';
    }
    if (!unix_path.empty()) {
        return out + unix_path + "?db=" + std::to_string(database);
    }
    const bool ipv6 = host.find(':') != std::string::npos;
    out += ipv6 ? '[' + host + ']' : host;
    return out + ':' + std::to_string(port) + '/' + std::to_string(database);
}

parsed<address> parse_address(std::string_view text) {
    const auto url = boost::urls::parse_uri(boost::urls::string_view(text.data(), text.size()));
    if (!url) {
        return refuse(
            "it is not a URL such as redis://127.0.0.1:6379/0; characters like @ / ? # % in a user or "
            "password "
            "must be percent-encoded");
    }
    const std::string_view scheme(url->scheme().data(), url->scheme().size());
    if (scheme != "redis" && scheme != "rediss" && scheme != "unix") {
        return refuse("the scheme must be redis, rediss (TLS) or unix; it is \"" + std::string(scheme) + '"');
    }
    if (!url->has_authority()) {
        return refuse("two slashes must follow the scheme, as in redis://127.0.0.1:6379/0");
    }
    if (url->has_fragment()) {
        return refuse("it has a #fragment; a # in a user or password is written %23");
    }
    address into;
    into.tls = scheme == "rediss";
    into.user = url->user();
    into.password = url->password();
    const parsed<> rest = scheme == "unix" ? read_unix(*url, into) : read_network(*url, into);
    if (rest.has_error()) {
        return rest.error();
    }
    return into;
}

}  // namespace tocsin::redis
