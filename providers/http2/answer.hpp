#pragma once

#include "providers/http2/client.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::http2 {

/// Short text kept in place; what does not fit is cut off.
template <std::size_t Capacity>
class inline_text {
    static_assert(Capacity < 256);

public:
    void assign(std::string_view text) noexcept {
        size_ = static_cast<std::uint8_t>(std::min(text.size(), Capacity));
        std::copy_n(text.data(), size_, bytes_.data());
    }
    void clear() noexcept { size_ = 0; }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

private:
    std::uint8_t size_ = 0;
    std::array<char, Capacity> bytes_;  // NOLINT: only the first size_ bytes are ever read.
};

/// An answer as its frames come in, held against the rules of HTTP (RFC 9113, section 8). Used again and
/// again: clear() keeps the room for the body.
class answer {
public:
    /// Of a body, what is kept for reading; the rest is only counted.
    static constexpr std::size_t largest_body = std::size_t{16} * 1024;

    void clear() noexcept;

    /// A header block begins; then field() for each of its fields, then end_block().
    void begin_block() noexcept;
    void field(std::string_view name, std::string_view value) noexcept;
    void end_block(bool ends_stream) noexcept;
    void data(std::string_view bytes);
    /// The peer has said all of it.
    void end() noexcept;

    /// True once a rule was broken: no answer, whatever else comes.
    [[nodiscard]] bool malformed() const noexcept { return malformed_; }
    /// The parts of it that `out` has.
    void put_into(response& out) const noexcept;

private:
    void pseudo_field(std::string_view name, std::string_view value) noexcept;

    int status_ = 0;      ///< 0 until a block has said so.
    bool final_ = false;  ///< The status is no interim (1xx) one: blocks after it are trailers.
    bool trailers_ = false;
    bool regular_ = false;  ///< This block has had a field that is no pseudo-header field.
    bool malformed_ = false;
    std::optional<std::uint64_t> announced_;  ///< content-length
    std::uint64_t received_ = 0;
    std::string body_;
    inline_text<63> content_type_;
    inline_text<47> retry_after_;
    inline_text<47> provider_id_;
    inline_text<31> date_;
};

}  // namespace tocsin::http2
