#include "providers/http2/dialled_address.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace tocsin::http2 {
namespace {

using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

struct ipv4_block {
    std::uint32_t first;
    unsigned bits;
};

constexpr std::uint32_t ipv4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) noexcept {
    return a << 24U | b << 16U | c << 8U | d;
}

// IANA, "IPv4 Special-Purpose Address Registry", and multicast.
constexpr auto ipv4_blocks = std::to_array<ipv4_block>({
    {ipv4(0, 0, 0, 0), 8},        // "this network": Linux takes 0.0.0.0 for itself
    {ipv4(10, 0, 0, 0), 8},       // private
    {ipv4(100, 64, 0, 0), 10},    // shared by carriers
    {ipv4(127, 0, 0, 0), 8},      // loopback
    {ipv4(169, 254, 0, 0), 16},   // link-local, the metadata services of clouds among them
    {ipv4(172, 16, 0, 0), 12},    // private
    {ipv4(192, 0, 0, 0), 24},     // protocol assignments
    {ipv4(192, 0, 2, 0), 24},     // documentation
    {ipv4(192, 88, 99, 0), 24},   // 6to4 relays
    {ipv4(192, 168, 0, 0), 16},   // private
    {ipv4(198, 18, 0, 0), 15},    // benchmarks
    {ipv4(198, 51, 100, 0), 24},  // documentation
    {ipv4(203, 0, 113, 0), 24},   // documentation
    {ipv4(224, 0, 0, 0), 4},      // multicast
    {ipv4(240, 0, 0, 0), 4},      // reserved, and broadcast
});

bool is_public(std::uint32_t where) noexcept {
    return std::ranges::none_of(ipv4_blocks, [where](const ipv4_block& block) {
        return (where ^ block.first) >> (32U - block.bits) == 0;
    });
}

std::uint32_t ipv4_at(const address_v6::bytes_type& bytes, std::size_t at) noexcept {
    return ipv4(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
}

template <std::size_t Size>
bool begins_with(
    const address_v6::bytes_type& bytes, const std::array<unsigned char, Size>& prefix) noexcept {
    return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

bool is_public(const address_v6& where) noexcept {
    const address_v6::bytes_type bytes = where.to_bytes();
    constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    constexpr std::array<unsigned char, 12> nat64{0, 0x64, 0xff, 0x9b};
    constexpr std::array<unsigned char, 2> six_to_four{0x20, 0x02};
    if (begins_with(bytes, mapped) || begins_with(bytes, nat64)) {
        return is_public(ipv4_at(bytes, 12));
    }
    if (begins_with(bytes, six_to_four)) {
        return is_public(ipv4_at(bytes, 2));
    }
    // Global unicast is 2000::/3; in it, protocol assignments with Teredo (2001::/23) and documentation
    // (2001:db8::/32, 3fff::/20) are not for anybody to be reached at.
    const bool unicast = (bytes[0] & 0xe0U) == 0x20;
    const bool assignment = bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] < 0x02;
    const bool documentation =
        (bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x0d && bytes[3] == 0xb8) ||
        (bytes[0] == 0x3f && bytes[1] == 0xff && bytes[2] < 0x10);
    return unicast && !assignment && !documentation;
}

}  // namespace

bool is_public_address(const boost::asio::ip::address& where) noexcept {
    return where.is_v4() ? is_public(where.to_v4().to_uint()) : is_public(where.to_v6());
}

}  // namespace tocsin::http2
