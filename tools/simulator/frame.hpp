#pragma once

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::sim {

/// The nine bytes in front of every HTTP/2 frame (RFC 9113, section 4.1).
struct frame_head {
    static constexpr std::size_t bytes = 9;

    std::uint32_t size = 0;  ///< Of the payload.
    std::uint8_t type = 0;   ///< nghttp2_frame_type.
    std::uint8_t flags = 0;  ///< nghttp2_flag.
    std::int32_t stream = 0;

    [[nodiscard]] bool has(nghttp2_flag flag) const noexcept {
        return (flags & static_cast<unsigned>(flag)) != 0;
    }
};

/// The largest payload that a peer may send which was not told of another.
constexpr std::size_t largest_frame = 16'384;
/// A window may not grow past this.
constexpr std::int64_t largest_window = 0x7FFFFFFF;

/// The big-endian number in the first four bytes.
[[nodiscard]] inline std::uint32_t read_number(const char* bytes) noexcept {
    const auto at = [bytes](int i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
    return at(0) << 24U | at(1) << 16U | at(2) << 8U | at(3);
}

[[nodiscard]] inline frame_head read_head(const char* bytes) noexcept {
    return {
        read_number(bytes) >> 8U, static_cast<std::uint8_t>(bytes[3]), static_cast<std::uint8_t>(bytes[4]),
        static_cast<std::int32_t>(read_number(bytes + 5) & 0x7FFFFFFFU)};
}

inline void append_number(std::string& out, std::uint32_t number) {
    const char bytes[] = {
        static_cast<char>(number >> 24U), static_cast<char>(number >> 16U), static_cast<char>(number >> 8U),
        static_cast<char>(number)};
    out.append(bytes, sizeof bytes);
}

inline void append_head(
    std::string& out, std::size_t size, nghttp2_frame_type type, unsigned flags, std::int32_t stream) {
    const char bytes[] = {
        static_cast<char>(size >> 16U),  static_cast<char>(size >> 8U),  static_cast<char>(size),
        static_cast<char>(type),         static_cast<char>(flags),       static_cast<char>(stream >> 24),
        static_cast<char>(stream >> 16), static_cast<char>(stream >> 8), static_cast<char>(stream)};
    out.append(bytes, sizeof bytes);
}

/// Cuts what arrives into frames. A frame that has arrived whole is handed on where it lies; only one
/// that is spread over several reads is copied.
class frame_reader {
public:
    /// Calls `take(head, payload)` for each frame that is complete. A frame that is too large is given
    /// without its payload, as soon as its head is there; `take` must end the connection then.
    /// `take` returns false to stop: what follows is dropped.
    template <class Take>
    void feed(std::string_view bytes, Take&& take) {
        if (!partial_.empty() && !complete(bytes, take)) {
            return;
        }
        while (bytes.size() >= frame_head::bytes) {
            const frame_head head = read_head(bytes.data());
            if (head.size > largest_frame) {
                take(head, std::string_view());
                return;
            }
            const std::size_t whole = frame_head::bytes + head.size;
            if (bytes.size() < whole) {
                break;
            }
            if (!take(head, bytes.substr(frame_head::bytes, head.size))) {
                return;
            }
            bytes.remove_prefix(whole);
        }
        partial_.assign(bytes);
    }

private:
    /// Adds to the frame that began earlier; false if it is still not complete, or taken as the last.
    template <class Take>
    bool complete(std::string_view& bytes, Take&& take) {
        const auto fill = [&](std::size_t size) {
            const std::size_t missing = size - std::min(size, partial_.size());
            const auto more = bytes.substr(0, missing);
            partial_ += more;
            bytes.remove_prefix(more.size());
            return partial_.size() >= size;
        };
        if (!fill(frame_head::bytes)) {
            return false;
        }
        const frame_head head = read_head(partial_.data());
        if (head.size > largest_frame) {
            take(head, std::string_view());
            return false;
        }
        if (!fill(frame_head::bytes + head.size)) {
            return false;
        }
        const bool more = take(head, std::string_view(partial_).substr(frame_head::bytes));
        partial_.clear();
        return more;
    }

    std::string partial_;
};

}  // namespace tocsin::sim
