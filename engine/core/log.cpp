#include "engine/core/log.hpp"

namespace tocsin {

std::string shorten_token(std::string_view token) {
    if (token.size() <= 12) {
        return "…";
    }
    std::string out(token.substr(0, 4));
    out += "…";
    out += token.substr(token.size() - 4);
    return out;
}

}  // namespace tocsin
