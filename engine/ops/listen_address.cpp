#include "engine/ops/listen_address.hpp"

#include "engine/core/text.hpp"

#include <charconv>
#include <system_error>

namespace tocsin {
namespace {

refusal not_an_address(std::string_view text) {
    return {
        "listen",
        "\"" + std::string(text) +
            "\" is not host:port, such as \"127.0.0.1:9464\", \"[::1]:9464\" or \":9464\" for every address"};
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
    listen_address out{.host = std::string(host), .port = 0};
    const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (problem != std::errc() || end != port.data() + port.size()) {
        return not_an_address(text);
    }
    return out;
}

}  // namespace tocsin
