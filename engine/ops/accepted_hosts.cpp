#include "engine/ops/accepted_hosts.hpp"

#include "engine/core/text.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace tocsin {
namespace {

// RFC 6761, RFC 6762, RFC 8375, ICANN's reservation of .internal; and what Kubernetes' DNS makes.
constexpr auto private_domains = std::to_array<std::string_view>(
    {".localhost", ".local", ".internal", ".test", ".home.arpa", ".svc", ".cluster.local"});

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(
        out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

bool is_port(std::string_view text) noexcept {
    return text.size() <= 5 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// The host of "host", "host:port", "[::1]" or "[::1]:port", in lower case and without the dot of the root.
std::optional<std::string> host_of(std::string_view field) {
    std::size_t end = 0;
    if (field.starts_with('[')) {
        end = field.find(']');
        if (end == std::string_view::npos) {
            return std::nullopt;
        }
        ++end;
    } else {
        end = std::min(field.find(':'), field.size());
    }
    const std::string_view port = field.substr(end);
    if (!port.empty() && (port.front() != ':' || !is_port(port.substr(1)))) {
        return std::nullopt;
    }
    std::string host = lower(field.substr(0, end));
    if (host.ends_with('.')) {
        host.pop_back();
    }
    return host.empty() ? std::nullopt : std::optional(std::move(host));
}

bool is_address(const std::string& host) {
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    boost::system::error_code problem;
    boost::asio::ip::make_address(bracketed ? host.substr(1, host.size() - 2) : host, problem);
    return !problem;
}

}  // namespace

void accepted_hosts::add(std::string_view name) {
    names_.push_back(lower(name));
}

bool accepted_hosts::accepts(std::string_view field) const {
    const auto host = host_of(field);
    if (!host) {
        return false;
    }
    if (is_address(*host)) {
        return true;
    }
    if (!is_word(*host, "-._")) {
        return false;
    }
    if (host->find('.') == std::string::npos ||
        std::ranges::any_of(
            private_domains, [&](std::string_view domain) { return host->ends_with(domain); })) {
        return true;
    }
    return std::ranges::any_of(names_, [&](const std::string& name) {
        return name.starts_with("*.") ? host->size() > name.size() - 1 && host->ends_with(name.substr(1))
                                      : name == *host;
    });
}

bool is_host_pattern(std::string_view name) noexcept {
    if (name.starts_with("*.")) {
        name.remove_prefix(2);
    }
    return !name.empty() && !name.starts_with('.') && !name.ends_with('.') && is_word(name, "-._");
}

}  // namespace tocsin
