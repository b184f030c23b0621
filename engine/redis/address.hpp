#pragma once

#include "engine/core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::redis {

/// One node, as Redis itself names nodes.
struct endpoint {
    std::string host;
    std::uint16_t port = 0;

    /// "host:port", with brackets around an IPv6 address.
    [[nodiscard]] std::string to_string() const;
    friend bool operator==(const endpoint&, const endpoint&) = default;
};

enum class topology : std::uint8_t {
    single,    ///< One server, at host and port or unix_path.
    cluster,   ///< Redis Cluster: `seeds` are some of its nodes.
    sentinel,  ///< The master called master_name, wherever one of the Sentinels in `seeds` says it is.
};

/// Where a Redis is and how to enter it.
struct address {
    std::string host = "127.0.0.1";
    std::uint16_t port = 6379;
    std::string unix_path;  ///< Not empty: a Unix socket instead of host and port.
    bool tls = false;
    std::string ca_file;               ///< Extra trust root for TLS; empty: the system's only.
    std::string certificate_file;      ///< Client certificate chain (PEM) for TLS; empty: none.
    std::string certificate_key_file;  ///< Its private key (PEM).
    std::string user;
    std::string password;
    int database = 0;
    topology kind = topology::single;
    std::vector<endpoint> seeds;    ///< Never empty unless `kind` is single.
    std::string master_name;        ///< Sentinel only.
    std::string sentinel_password;  ///< For the Sentinels themselves; empty: they ask for none.

    /// Without the passwords, for logs.
    [[nodiscard]] std::string describe() const;
    /// One node of this cluster, or the master behind these Sentinels: the same credentials, a single
    /// server.
    [[nodiscard]] address at(const endpoint& node) const;
};

/// redis://[user[:password]@]host[:port][/db], rediss://…, unix:///path/to.sock[?db=n],
/// redis+cluster://[user[:password]@]host[:port][,host[:port]…],
/// redis+sentinel://[user[:password]@]host[:port][,host[:port]…]/master-name[/db][?sentinel_password=…],
/// and the last two as rediss+… with TLS to every node.
///
/// User, password and master name may be percent-encoded. A lone "redis://:password@host" has no user.
/// Without a host or a port, Redis' own defaults: 127.0.0.1 and 6379, for a Sentinel 26379. A refusal
/// never repeats the URL, which may hold a password.
[[nodiscard]] parsed<address> parse_address(std::string_view url);

}  // namespace tocsin::redis
