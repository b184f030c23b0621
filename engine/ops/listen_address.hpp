#pragma once

#include "engine/core/error.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin {

/// Where a server listens.
struct listen_address {
    std::string host;        ///< A name or an address without brackets; empty: every address of the machine.
    std::uint16_t port = 0;  ///< 0: any free one.
};

/// Reads "127.0.0.1:9464", "localhost:9464", "[::1]:9464" or ":9464".
[[nodiscard]] parsed<listen_address> parse_listen_address(std::string_view text);

/// Opens, binds and listens; after an error the acceptor is closed. Every address of the machine means IPv6
/// and IPv4.
[[nodiscard]] error_code open_acceptor(boost::asio::ip::tcp::acceptor& acceptor, const listen_address& at);

}  // namespace tocsin
