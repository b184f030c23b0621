#pragma once

#include "engine/core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::redis {

/// Where a Redis is and how to enter it.
struct address {
    std::string host = "127.0.0.1";
    std::uint16_t port = 6379;
    std::string unix_path;  ///< Not empty: a Unix socket instead of host and port.
    bool tls = false;
    std::string ca_file;  ///< Extra trust root for TLS; empty: the system's only.
    std::string user;
    std::string password;
    int database = 0;

    /// Without the password, for logs.
    [[nodiscard]] std::string describe() const;
};

/// redis://[user[:password]@]host[:port][/db], rediss://…, unix:///path/to.sock[?db=n].
/// User and password may be percent-encoded. A lone "redis://:password@host" has no user.
/// Without a host or a port, Redis' own defaults: 127.0.0.1 and 6379. A refusal never repeats the
/// URL, which may hold a password.
[[nodiscard]] parsed<address> parse_address(std::string_view url);

}  // namespace tocsin::redis
