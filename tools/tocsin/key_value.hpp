#pragma once

#include <optional>
#include <string>
#include <utility>

namespace tocsin::cli {

/// "key=value" at its first "="; nothing if there is no key.
[[nodiscard]] inline std::optional<std::pair<std::string, std::string>> split_key_value(
    const std::string& text) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0) {
        return std::nullopt;
    }
    return std::pair(text.substr(0, at), text.substr(at + 1));
}

}  // namespace tocsin::cli
