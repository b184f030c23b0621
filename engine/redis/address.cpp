#include "engine/redis/address.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

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
        return refuse("the database must be a whole number from 0, as in redis://host:6379/0");
    }
    into.database = *number;
    return {};
}

/// Leaves in `into` what the URL does not say.
parsed<> read_endpoint(const boost::urls::url_view& url, endpoint& into) {
    if (!url.host_address().empty()) {
        into.host = url.host_address();
    }
    // Boost.URL takes the letters of "host:port" for a path.
    const std::string_view path(url.encoded_path().data(), url.encoded_path().size());
    if (url.has_port() && url.port().empty() && !path.empty() && !path.starts_with('/')) {
        return refuse("the port must be a number from 1 to 65535");
    }
    if (url.has_port() && !url.port().empty()) {
        const auto port = whole_number<std::uint16_t>(std::string_view(url.port().data(), url.port().size()));
        if (!port || *port == 0) {
            return refuse("the port must be a number from 1 to 65535");
        }
        into.port = *port;
    }
    return {};
}

parsed<> read_network(const boost::urls::url_view& url, address& into) {
    endpoint peer{into.host, into.port};
    if (const auto read = read_endpoint(url, peer); read.has_error()) {
        return read.error();
    }
    into.host = std::move(peer.host);
    into.port = peer.port;
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

parsed<> read_cluster(const boost::urls::url_view& url) {
    if (url.has_query()) {
        return refuse("a redis+cluster:// URL takes no ?query");
    }
    const std::string path = url.path();
    if (path.size() > 1 && path != "/0") {
        return refuse("a Redis Cluster has no databases but 0; leave out what follows the last port");
    }
    return {};
}

parsed<> read_sentinel(const boost::urls::url_view& url, address& into) {
    constexpr std::string_view example = "redis+sentinel://host:26379,host:26379/master-name";
    auto rest = url.segments();
    if (rest.empty() || (*rest.begin()).empty()) {
        return refuse("the name of the master is missing, as in " + std::string(example));
    }
    if (rest.size() > 2) {
        return refuse("only the database may follow the master's name, as in " + std::string(example) + "/0");
    }
    into.master_name = *rest.begin();
    if (rest.size() == 2) {
        if (const auto read = read_database(rest.back(), into); read.has_error()) {
            return read.error();
        }
    }
    for (const auto& parameter : url.params()) {
        if (parameter.key != "sentinel_password" || !parameter.has_value) {
            return refuse("the only ?query of a redis+sentinel:// URL is sentinel_password=…");
        }
        into.sentinel_password = parameter.value;
    }
    return {};
}

/// Boost.URL knows one host a URL: this is the URL with the first of several only, and the others.
struct split_url {
    std::string first;
    std::vector<std::string_view> others;
};

split_url split_hosts(std::string_view text) {
    const std::size_t begin = text.find("://") + 3;
    const std::size_t end = std::min(text.find_first_of("/?#", begin), text.size());
    // A comma in a password stands before the last @.
    const std::size_t at = text.substr(begin, end - begin).rfind('@');
    const std::size_t hosts = at == std::string_view::npos ? begin : begin + at + 1;
    split_url out;
    std::size_t comma = std::min(text.find(',', hosts), end);
    out.first = std::string(text.substr(0, comma)) + std::string(text.substr(end));
    while (comma < end) {
        const std::size_t next = std::min(text.find(',', comma + 1), end);
        out.others.push_back(text.substr(comma + 1, next - comma - 1));
        comma = next;
    }
    return out;
}

parsed<> read_seeds(
    const boost::urls::url_view& first, const std::vector<std::string_view>& others, address& into) {
    const std::uint16_t usual_port = into.kind == topology::sentinel ? 26379 : 6379;
    into.seeds.push_back({into.host, usual_port});
    if (const auto read = read_endpoint(first, into.seeds.back()); read.has_error()) {
        return read.error();
    }
    for (const std::string_view other : others) {
        const std::string whole = "redis://" + std::string(other);
        const auto url = boost::urls::parse_uri(whole);
        if (!url || url->has_userinfo() || url->host_address().empty()) {
            return refuse(
                "the nodes must be host:port, with a comma between two, after one user:password@ for all");
        }
        into.seeds.push_back({"", usual_port});
        if (const auto read = read_endpoint(*url, into.seeds.back()); read.has_error()) {
            return read.error();
        }
    }
    into.host = into.seeds.front().host;
    into.port = into.seeds.front().port;
    return {};
}

struct known_scheme {
    std::string_view name;
    topology kind;
    bool tls;
    bool socket;
};

constexpr std::array<known_scheme, 7> schemes{
    {{"redis", topology::single, false, false},
     {"rediss", topology::single, true, false},
     {"unix", topology::single, false, true},
     {"redis+cluster", topology::cluster, false, false},
     {"rediss+cluster", topology::cluster, true, false},
     {"redis+sentinel", topology::sentinel, false, false},
     {"rediss+sentinel", topology::sentinel, true, false}}};

parsed<> read_rest(
    const boost::urls::url_view& url, bool socket, const std::vector<std::string_view>& others,
    address& into) {
    if (into.kind == topology::single) {
        return socket ? read_unix(url, into) : read_network(url, into);
    }
    if (const auto read = read_seeds(url, others, into); read.has_error()) {
        return read.error();
    }
    return into.kind == topology::cluster ? read_cluster(url) : read_sentinel(url, into);
}

}  // namespace

std::string endpoint::to_string() const {
    const bool ipv6 = host.find(':') != std::string::npos;
    return (ipv6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

std::string address::describe() const {
    std::string out = !unix_path.empty() ? "unix" : tls ? "rediss" : "redis";
    out += kind == topology::cluster ? "+cluster://" : kind == topology::sentinel ? "+sentinel://" : "://";
    if (!user.empty()) {
        out += user + '@';
    }
    if (!unix_path.empty()) {
        return out + unix_path + "?db=" + std::to_string(database);
    }
    if (kind == topology::single) {
        return out + endpoint{host, port}.to_string() + '/' + std::to_string(database);
    }
    for (std::size_t i = 0; i < seeds.size(); ++i) {
        out += (i == 0 ? "" : ",") + seeds[i].to_string();
    }
    if (kind == topology::sentinel) {
        out += '/' + master_name + '/' + std::to_string(database);
    }
    return out;
}

address address::at(const endpoint& node) const {
    address out = *this;
    out.kind = topology::single;
    out.host = node.host;
    out.port = node.port;
    out.seeds.clear();
    out.master_name.clear();
    out.sentinel_password.clear();
    return out;
}

parsed<address> parse_address(std::string_view text) {
    const std::string_view word = text.substr(0, std::min(text.find(':'), text.size()));
    const auto scheme = std::find_if(
        schemes.begin(), schemes.end(), [word](const known_scheme& one) { return one.name == word; });
    split_url split{std::string(text), {}};
    if (scheme != schemes.end() && scheme->kind != topology::single &&
        text.substr(word.size()).starts_with("://")) {
        split = split_hosts(text);
    }
    const auto url = boost::urls::parse_uri(split.first);
    if (!url) {
        return refuse(
            "it is not a URL such as redis://127.0.0.1:6379/0; characters like @ / ? # % in a user or "
            "password must be percent-encoded");
    }
    if (scheme == schemes.end()) {
        // Without two slashes the word may be a user, or half of a password.
        const bool is_scheme = text.substr(word.size()).starts_with("://");
        return refuse(
            "the scheme must be redis, rediss (TLS) or unix" +
            (is_scheme ? "; it is \"" + std::string(word) + "\"" : std::string()) +
            ". redis+cluster and redis+sentinel, or rediss+…, are for a Redis Cluster and for Sentinel");
    }
    if (!url->has_authority()) {
        return refuse("two slashes must follow the scheme, as in redis://127.0.0.1:6379/0");
    }
    if (!scheme->socket && url->encoded_path().contains('@')) {
        // What looks like a host and a path is a password with a slash in it.
        return refuse("an @ stands behind the host: a / in a user or password is written %2F");
    }
    if (url->has_fragment()) {
        return refuse("it has a #fragment; a # in a user or password is written %23");
    }
    address into;
    into.tls = scheme->tls;
    into.kind = scheme->kind;
    into.user = url->user();
    into.password = url->password();
    const parsed<> rest = read_rest(*url, scheme->socket, split.others, into);
    if (rest.has_error()) {
        return rest.error();
    }
    return into;
}

}  // namespace tocsin::redis
