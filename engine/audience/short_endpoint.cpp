#include "engine/audience/short_endpoint.hpp"

#include "engine/platform/platform.hpp"

#include <algorithm>

namespace tocsin {
namespace {

/// Where the path begins; what is no URL may have none.
std::size_t end_of_host(std::string_view text) noexcept {
    return std::min(text.find('/'), text.size());
}

}  // namespace

std::size_t endpoint_pieces::size() const noexcept {
    std::size_t out = 0;
    for (const std::string_view piece : of) {
        out += piece.size();
    }
    return out;
}

std::string endpoint_pieces::whole() const {
    std::string out;
    out.reserve(size());
    for (const std::string_view piece : of) {
        out += piece;
    }
    return out;
}

std::string shortened_endpoint(std::string_view endpoint) {
    std::string out(1, '\0');
    for (const token_beginning& one : token_beginnings) {
        ++out[0];
        if (!endpoint.starts_with(one.before)) {
            continue;
        }
        const std::string_view rest = endpoint.substr(one.before.size());
        const std::string_view host = rest.substr(0, end_of_host(rest));
        if (host.ends_with(one.after)) {
            out += host.substr(0, host.size() - one.after.size());
            out += rest.substr(host.size());
            break;
        }
    }
    return out;
}

std::optional<endpoint_pieces> lengthened_endpoint(std::string_view shortened) noexcept {
    if (shortened.empty()) {
        return std::nullopt;
    }
    const auto code = static_cast<unsigned char>(shortened.front());
    if (code == 0 || code > token_beginnings.size()) {
        return std::nullopt;
    }
    const token_beginning& how = token_beginnings[code - 1U];
    shortened.remove_prefix(1);
    const std::size_t name = how.after.empty() ? 0 : end_of_host(shortened);
    return endpoint_pieces{{how.before, shortened.substr(0, name), how.after, shortened.substr(name)}};
}

}  // namespace tocsin
