#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// The frames of HTTP/2 as bytes (RFC 9113, sections 4 and 6): their names, and how their numbers are written.

namespace tocsin::http2 {

enum class frame_type : std::uint8_t {
    data = 0x0,
    headers = 0x1,
    priority = 0x2,
    rst_stream = 0x3,
    settings = 0x4,
    push_promise = 0x5,
    ping = 0x6,
    goaway = 0x7,
    window_update = 0x8,
    continuation = 0x9,
};

namespace frame_flag {
inline constexpr std::uint8_t none = 0x0;
inline constexpr std::uint8_t end_stream = 0x1;
inline constexpr std::uint8_t ack = 0x1;
inline constexpr std::uint8_t end_headers = 0x4;
inline constexpr std::uint8_t padded = 0x8;
inline constexpr std::uint8_t priority = 0x20;
}  // namespace frame_flag

/// Section 7. A peer may send others; they are kept as the number that they are.
enum class h2_code : std::uint32_t {
    no_error = 0x0,
    protocol_error = 0x1,
    internal_error = 0x2,
    flow_control_error = 0x3,
    stream_closed = 0x5,
    frame_size_error = 0x6,
    refused_stream = 0x7,
    cancel = 0x8,
    compression_error = 0x9,
    enhance_your_calm = 0xb,
    http_1_1_required = 0xd,
};

/// Section 6.5.2.
enum class setting : std::uint16_t {
    header_table_size = 0x1,
    enable_push = 0x2,
    max_concurrent_streams = 0x3,
    initial_window_size = 0x4,
    max_frame_size = 0x5,
    max_header_list_size = 0x6,
};

inline constexpr std::size_t frame_head_size = 9;
/// What we accept and send: SETTINGS_MAX_FRAME_SIZE stays at its initial value on our side, and a peer's
/// is never smaller.
inline constexpr std::size_t largest_frame = 16'384;
inline constexpr std::uint32_t largest_window = 0x7fff'ffff;
inline constexpr std::uint32_t default_window = 65'535;
inline constexpr std::string_view client_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A whole frame as it was received. `payload` lives as long as the bytes it was found in.
struct frame {
    frame_type type{};  ///< Perhaps none of the enumerators.
    std::uint8_t flags = 0;
    std::uint32_t stream = 0;
    std::string_view payload;

    [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
};

[[nodiscard]] constexpr std::uint16_t read_u16(std::string_view from, std::size_t at = 0) noexcept {
    return static_cast<std::uint16_t>(
        static_cast<std::uint8_t>(from[at]) << 8U | static_cast<std::uint8_t>(from[at + 1]));
}
[[nodiscard]] constexpr std::uint32_t read_u24(std::string_view from, std::size_t at = 0) noexcept {
    return std::uint32_t{static_cast<std::uint8_t>(from[at])} << 16U | read_u16(from, at + 1);
}
[[nodiscard]] constexpr std::uint32_t read_u32(std::string_view from, std::size_t at = 0) noexcept {
    return std::uint32_t{read_u16(from, at)} << 16U | read_u16(from, at + 2);
}
/// 31 bits: the one above them is reserved (section 4.1).
[[nodiscard]] constexpr std::uint32_t read_u31(std::string_view from, std::size_t at = 0) noexcept {
    return read_u32(from, at) & largest_window;
}

constexpr void write_u16(char* to, std::uint32_t value) noexcept {
    to[0] = static_cast<char>(value >> 8U);
    to[1] = static_cast<char>(value);
}
constexpr void write_u32(char* to, std::uint32_t value) noexcept {
    write_u16(to, value >> 16U);
    write_u16(to + 2, value);
}
constexpr void write_frame_head(
    char* to, std::size_t length, frame_type type, std::uint8_t flags, std::uint32_t stream) noexcept {
    to[0] = static_cast<char>(length >> 16U);
    write_u16(to + 1, static_cast<std::uint32_t>(length));
    to[3] = static_cast<char>(type);
    to[4] = static_cast<char>(flags);
    write_u32(to + 5, stream);
}

}  // namespace tocsin::http2
