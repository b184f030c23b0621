#pragma once

#include "engine/core/text.hpp"

#include <string>
#include <string_view>

namespace tocsin {

/// `bytes` if they are UTF-8; otherwise with U+FFFD in place of every byte outside ASCII. Text that
/// strangers chose ends up in formats that must be UTF-8.
[[nodiscard]] inline std::string repaired_utf8(std::string_view bytes) {
    if (is_utf8(bytes)) {
        return std::string(bytes);
    }
    std::string out;
    out.reserve(bytes.size() * 3);
    for (const char c : bytes) {
        if (static_cast<unsigned char>(c) < 0x80) {
            out.push_back(c);
        } else {
            out += "\xEF\xBF\xBD";
        }
    }
    return out;
}

}  // namespace tocsin
