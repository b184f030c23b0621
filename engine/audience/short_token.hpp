#pragma once

#include "engine/platform/token_beginnings.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// How a token is stored that begins like thousands of others: a byte says how, and what follows is what
// differs.

namespace tocsin {

/// A token in pieces, that put one behind the other make it whole.
struct token_pieces {
    std::array<std::string_view, 4> of;

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] std::string whole() const;
};

/// A byte below 32 and the rest. Never empty; every token has one, and only one.
[[nodiscard]] std::string shortened_token(std::string_view token, token_beginnings beginnings);

/// The token again, as views into `shortened` and into the table. Empty if shortened_token() writes none that
/// begins so.
[[nodiscard]] std::optional<token_pieces> lengthened_token(
    std::string_view shortened, token_beginnings beginnings) noexcept;

}  // namespace tocsin
