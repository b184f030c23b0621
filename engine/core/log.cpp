#include "engine/core/log.hpp"

namespace tocsin {

std::string shorten_token(std::string_view token) {
    if (token.size() <= 12) {
        return "…";
    }
    // Of an address the host may be known, and says more than the scheme.
    constexpr std::string_view scheme = "https://";
    if (const std::size_t path = token.find('/', scheme.size());
        token.starts_with(scheme) && path != std::string_view::npos) {
        const std::string_view secret = token.substr(path + 1);
        std::string out(token.substr(0, path + 1));
        out += "…";
        out += secret.size() <= 12 ? std::string_view() : secret.substr(secret.size() - 4);
        return out;
    }
    std::string out(token.substr(0, 4));
    out += "…";
    out += token.substr(token.size() - 4);
    return out;
}

}  // namespace tocsin
