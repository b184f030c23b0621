#pragma once

#include <array>
#include <span>
#include <string_view>

namespace tocsin {

/// How the tokens of thousands of devices begin alike: `before`, then, if there is an `after`, a name up to
/// the first slash, then that.
struct token_beginning {
    std::string_view before;
    std::string_view after;
};

/// Of a platform, at most 31 of them; the first match counts, and the last fits everything. A byte in the
/// store is a place in this table, from 1 on, so it keeps its meaning. One that is added for tokens which
/// others match today changes how these are written: who removes a dead device compares what is stored with
/// what would be written now, and would find another.
using token_beginnings = std::span<const token_beginning>;

/// Of a platform whose tokens have nothing in common.
inline constexpr auto no_common_beginning = std::to_array<token_beginning>({{"", ""}});

}  // namespace tocsin
