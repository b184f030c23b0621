#include "engine/audience/short_token.hpp"

#include <algorithm>

namespace tocsin {
namespace {

/// Where the path begins; what is no URL may have none.
std::size_t end_of_host(std::string_view text) noexcept {
    return std::min(text.find('/'), text.size());
}

}  // namespace

std::size_t token_pieces::size() const noexcept {
    std::size_t out = 0;
    for (const std::string_view piece : of) {
        out += piece.size();
    }
    return out;
}

std::string token_pieces::whole() const {
    std::string out;
    out.reserve(size());
    for (const std::string_view piece : of) {
        out += piece;
    }
    return out;
}

std::string shortened_token(std::string_view token, token_beginnings beginnings) {
    std::string out(1, '\0');
    for (const token_beginning& one : beginnings) {
        ++out[0];
        if (!token.starts_with(one.before)) {
            continue;
        }
        const std::string_view rest = token.substr(one.before.size());
        const std::string_view host = rest.substr(0, end_of_host(rest));
        if (host.ends_with(one.after)) {
            out += host.substr(0, host.size() - one.after.size());
            out += rest.substr(host.size());
            break;
        }
    }
    return out;
}

std::optional<token_pieces> lengthened_token(
    std::string_view shortened, token_beginnings beginnings) noexcept {
    if (shortened.empty()) {
        return std::nullopt;
    }
    const auto code = static_cast<unsigned char>(shortened.front());
    if (code == 0 || code > beginnings.size()) {
        return std::nullopt;
    }
    const token_beginning& how = beginnings[code - 1U];
    shortened.remove_prefix(1);
    const std::size_t name = how.after.empty() ? 0 : end_of_host(shortened);
    return token_pieces{{how.before, shortened.substr(0, name), how.after, shortened.substr(name)}};
}

}  // namespace tocsin
