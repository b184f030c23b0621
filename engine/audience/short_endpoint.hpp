#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// How a Web Push endpoint is stored. Most of them begin like thousands of others, so a byte says how, and
// what follows is what differs.

namespace tocsin {

/// An endpoint in pieces, that put one behind the other make it whole.
struct endpoint_pieces {
    std::array<std::string_view, 4> of;

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] std::string whole() const;
};

/// A byte below 32 and the rest. Never empty; every text has one, and only one.
[[nodiscard]] std::string shortened_endpoint(std::string_view endpoint);

/// The endpoint again, as views into `shortened` and into the table. Empty if shortened_endpoint() writes
/// none that begins so.
[[nodiscard]] std::optional<endpoint_pieces> lengthened_endpoint(std::string_view shortened) noexcept;

}  // namespace tocsin
