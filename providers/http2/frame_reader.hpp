#pragma once

#include "providers/http2/frame.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::http2 {

/// Cuts the bytes that a peer sends into frames. A frame that lies whole in what was given is passed on in
/// place; only one that arrives in pieces is put together in a buffer, of at most one frame.
class frame_reader {
public:
    enum class outcome : std::uint8_t {
        frame,      ///< `out` is the next frame.
        starved,    ///< Nothing more in what was given.
        too_large,  ///< A frame above `largest_frame`: nothing after it can be read.
    };

    /// Takes the next bytes; they must live until next() has said starved.
    void give(std::string_view bytes) noexcept { input_ = bytes; }

    [[nodiscard]] outcome next(frame& out) {
        if (taken_) {
            taken_ = false;
            partial_.clear();
        }
        if (partial_.empty()) [[likely]] {
            if (input_.size() >= frame_head_size) {
                const std::size_t size = frame_head_size + read_u24(input_);
                if (size > frame_head_size + largest_frame) {
                    return outcome::too_large;
                }
                if (input_.size() >= size) [[likely]] {
                    out = parse(input_.substr(0, size));
                    input_.remove_prefix(size);
                    return outcome::frame;
                }
            }
            if (input_.empty()) {
                return outcome::starved;
            }
        }
        return assemble(out);
    }

private:
    [[nodiscard]] static frame parse(std::string_view whole) noexcept {
        return {
            static_cast<frame_type>(whole[3]), static_cast<std::uint8_t>(whole[4]), read_u31(whole, 5),
            whole.substr(frame_head_size)};
    }

    void take(std::size_t until) {
        const std::size_t count = std::min(input_.size(), until - std::min(until, partial_.size()));
        partial_ += input_.substr(0, count);
        input_.remove_prefix(count);
    }

    [[nodiscard]] outcome assemble(frame& out) {
        take(frame_head_size);
        if (partial_.size() < frame_head_size) {
            return outcome::starved;
        }
        const std::size_t size = frame_head_size + read_u24(partial_);
        if (size > frame_head_size + largest_frame) {
            return outcome::too_large;
        }
        take(size);
        if (partial_.size() < size) {
            return outcome::starved;
        }
        out = parse(partial_);
        taken_ = true;
        return outcome::frame;
    }

    std::string_view input_;
    std::string partial_;
    bool taken_ = false;  ///< What partial_ holds was passed on.
};

}  // namespace tocsin::http2
