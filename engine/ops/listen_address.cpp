#include "engine/ops/listen_address.hpp"

#include "engine/core/text.hpp"

#include <boost/asio/ip/address_v6.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include <charconv>
#include <cstddef>
#include <system_error>

#include <arpa/inet.h>

namespace tocsin {
namespace {

refusal not_an_address(std::string_view text) {
    return {
        "listen",
        "\"" + std::string(text) +
            "\" is not host:port, such as \"127.0.0.1:9464\", \"[::1]:9464\" or \":9464\" for every address"};
}

/// As the resolver reads them: "127.1" is one, too.
bool is_ipv4(std::string_view host) noexcept {
    in_addr ignored{};
    return ::inet_aton(std::string(host).c_str(), &ignored) == 1;
}

bool is_ipv6(std::string_view host) {
    boost::system::error_code problem;
    boost::asio::ip::make_address_v6(std::string(host), problem);
    return !problem;
}

}  // namespace

parsed<listen_address> parse_listen_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return not_an_address(text);
    }
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    // Unbracketed, the last group of an IPv6 address would be taken for the port.
    if (!is_word(host, bracketed ? ":.%" : ".-_") || (bracketed && host.empty())) {
        return not_an_address(text);
    }
    // A resolver would take them for names, and nothing would be wrong before the engine starts.
    const bool numeric = host.find_first_not_of("0123456789.") == std::string_view::npos;
    if (bracketed ? !is_ipv6(host) : numeric && !host.empty() && !is_ipv4(host)) {
        return refusal{"listen", "\"" + std::string(host) + "\" is not an IP address"};
    }
    listen_address out{.host = std::string(host), .port = 0};
    const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (problem != std::errc() || end != port.data() + port.size()) {
        return not_an_address(text);
    }
    return out;
}

error_code open_acceptor(boost::asio::ip::tcp::acceptor& acceptor, const listen_address& at) {
    namespace asio = boost::asio;
    using tcp = asio::ip::tcp;
    error_code problem;
    tcp::endpoint endpoint(tcp::v6(), at.port);
    if (!at.host.empty()) {
        tcp::resolver resolver(acceptor.get_executor());
        const auto found =
            resolver.resolve(at.host, std::to_string(at.port), tcp::resolver::passive, problem);
        if (problem) {
            return problem;
        }
        endpoint = found.begin()->endpoint();
    }
    acceptor.open(endpoint.protocol(), problem);
    if (problem && at.host.empty()) {
        endpoint = tcp::endpoint(tcp::v4(), at.port);  // A machine without IPv6.
        acceptor.open(endpoint.protocol(), problem);
    }
    if (!problem && at.host.empty() && endpoint.protocol() == tcp::v6()) {
        acceptor.set_option(asio::ip::v6_only(false), problem);
    }
    // So that a restart need not wait for the old connections to time out; a port that somebody
    // listens on stays refused.
    if (!problem) {
        acceptor.set_option(tcp::acceptor::reuse_address(true), problem);
    }
    if (!problem) {
        acceptor.bind(endpoint, problem);
    }
    if (!problem) {
        acceptor.listen(asio::socket_base::max_listen_connections, problem);
    }
    if (problem) {
        error_code ignored;
        acceptor.close(ignored);
    }
    return problem;
}

}  // namespace tocsin
