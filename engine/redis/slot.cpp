#include "engine/redis/slot.hpp"

#include <array>
#include <cstddef>

namespace tocsin::redis {
namespace {

/// CRC-16/XMODEM: polynomial 0x1021, most significant bit first, from 0.
constexpr std::array<std::uint16_t, 256> make_table() {
    std::array<std::uint16_t, 256> table{};
    for (unsigned byte = 0; byte < 256; ++byte) {
        unsigned value = byte << 8U;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value << 1U) ^ ((value & 0x8000U) != 0 ? 0x1021U : 0U);
        }
        table[byte] = static_cast<std::uint16_t>(value);
    }
    return table;
}

constexpr std::array<std::uint16_t, 256> table = make_table();

}  // namespace

std::string_view hash_tag(std::string_view key) noexcept {
    const std::size_t open = key.find('{');
    if (open == std::string_view::npos) {
        return key;
    }
    const std::size_t close = key.find('}', open + 1);
    if (close == std::string_view::npos || close == open + 1) {
        return key;
    }
    return key.substr(open + 1, close - open - 1);
}

std::uint16_t key_slot(std::string_view key) noexcept {
    unsigned crc = 0;
    for (const char c : hash_tag(key)) {
        const unsigned index = ((crc >> 8U) ^ static_cast<unsigned char>(c)) & 0xFFU;
        crc = ((crc << 8U) ^ table[index]) & 0xFFFFU;
    }
    return static_cast<std::uint16_t>(crc % slot_count);
}

}  // namespace tocsin::redis
