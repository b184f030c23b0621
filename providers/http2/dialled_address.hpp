#pragma once

#include <boost/asio/ip/address.hpp>

namespace tocsin::http2 {

/// Whether `where` is in the public Internet: not loopback, private, link-local, shared (RFC 6598), of a
/// network's own (ULA), multicast, documentation, or anything else that IANA's special-purpose registries
/// keep out of it. An IPv4 address inside of an IPv6 one (mapped, 6to4, NAT64) counts as itself.
[[nodiscard]] bool is_public_address(const boost::asio::ip::address& where) noexcept;

}  // namespace tocsin::http2
