#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

// Little binary building blocks for what is stored in Redis: LEB128 numbers and counted strings.

inline void append_varint(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<char>(value | 0x80U));
        value >>= 7U;
    }
    out.push_back(static_cast<char>(value));
}

inline void append_counted(std::string& out, std::string_view bytes) {
    append_varint(out, bytes.size());
    out.append(bytes);
}

/// Takes a number off the front of `from`; empty if there is none.
[[nodiscard]] inline std::optional<std::uint64_t> take_varint(std::string_view& from) noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !from.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(from.front());
        from.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
        if ((byte & 0x80U) == 0) {
            return value;
        }
    }
    return std::nullopt;
}

[[nodiscard]] inline std::optional<std::string_view> take_counted(std::string_view& from) noexcept {
    const auto size = take_varint(from);
    if (!size || *size > from.size()) {
        return std::nullopt;
    }
    const std::string_view bytes = from.substr(0, static_cast<std::size_t>(*size));
    from.remove_prefix(bytes.size());
    return bytes;
}

}  // namespace tocsin
