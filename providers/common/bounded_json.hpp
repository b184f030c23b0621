#pragma once

#include <boost/json/static_resource.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace tocsin {

/// Reads JSON that a stranger sent: a fixed amount of memory, a fixed depth, no exceptions.
///
/// Used once and put on the stack; the value lives as long as this. Some 40 KiB: not for a
/// coroutine's frame.
class bounded_json {
public:
    bounded_json() noexcept = default;
    bounded_json(const bounded_json&) = delete;
    bounded_json& operator=(const bounded_json&) = delete;

    /// Null if `text` is not one JSON value, is nested too deep, or does not fit in the memory.
    [[nodiscard]] const boost::json::value* parse(std::string_view text) noexcept;

private:
    static constexpr std::size_t deepest = 16;

    // Declared in this order: the value is gone before the memory that it lives in.
    alignas(std::max_align_t) std::array<unsigned char, 32 * 1024> memory_;
    alignas(std::max_align_t) std::array<unsigned char, 8 * 1024> scratch_;
    boost::json::static_resource resource_{memory_.data(), memory_.size()};
    std::optional<boost::json::value> value_;
};

}  // namespace tocsin
