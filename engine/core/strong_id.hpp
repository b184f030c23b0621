#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace tocsin {

/// An identifier that cannot be mixed up with another identifier of the same width.
///
/// `Tag` is never defined; it only makes the type distinct.
template <class Tag, class Rep>
class strong_id {
public:
    using rep = Rep;

    constexpr explicit strong_id(Rep value) noexcept : value_(value) {}

    [[nodiscard]] constexpr Rep value() const noexcept { return value_; }

    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 misreads the 0 inside a defaulted <=>.
    friend constexpr auto operator<=>(const strong_id&, const strong_id&) = default;

    /// Found by boost::hash, so ids work as keys of boost::unordered_flat_map.
    friend std::size_t hash_value(const strong_id& id) noexcept { return std::hash<Rep>{}(id.value_); }

private:
    Rep value_;
};

}  // namespace tocsin
