#pragma once

#include "engine/audience/territories.hpp"
#include "engine/core/error.hpp"
#include "engine/event/publish_event.hpp"
#include "engine/event/territory.hpp"
#include "engine/platform/platform_traits.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// A device that an event names.
struct named_token {
    platform on{};
    std::string token;  ///< As stored.

    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 misreads the 0 inside a defaulted <=>.
    friend auto operator<=>(const named_token&, const named_token&) = default;
};

/// Whom an event is for: selectors resolved to the communes, zones and devices that they stand for.
///
/// The communes are a list even for everyone. So all engines send to the same communes, whatever
/// their own territory files say, and a commune that is not in the list is in nobody's way when
/// devices that follow several are told apart.
class audience {
public:
    audience() = default;

    /// EPCIs, departments and everyone stand for their communes; a zone is a territory of its own.
    /// Refuses what does not exist.
    [[nodiscard]] static parsed<audience> resolve(
        platform_set platforms, std::span<const selector> selectors, const territories& known);

    /// Ordered, each once.
    [[nodiscard]] std::span<const commune_id> communes() const noexcept { return communes_; }
    [[nodiscard]] std::span<const territory> zones() const noexcept { return zones_; }
    [[nodiscard]] std::span<const named_token> devices() const noexcept { return devices_; }
    /// A selector said "everyone". For people and accounts; contains() does not look at it.
    [[nodiscard]] bool everyone() const noexcept { return everyone_; }

    /// Called for every device: a commune costs one look into a bitmap.
    [[nodiscard]] bool contains(commune_id commune, std::string_view zone) const noexcept;
    [[nodiscard]] bool contains(const territory& where) const noexcept {
        return contains(where.commune, where.zone);
    }

    /// Compact bytes for Redis: some 1.3 bytes a commune.
    [[nodiscard]] std::string encode() const;
    /// What encode() wrote; refuses anything else.
    [[nodiscard]] static parsed<audience> decode(std::string_view bytes);

    friend bool operator==(const audience& left, const audience& right) {
        return left.communes_ == right.communes_ && left.zones_ == right.zones_ &&
               left.devices_ == right.devices_ && left.everyone_ == right.everyone_;
    }

private:
    // The first two characters of a code choose a row of one bit for each of its thousand codes.
    static constexpr std::size_t prefixes = std::size_t{36} * 36;
    using row = std::array<std::uint64_t, 16>;

    /// Sorts, drops repetitions, and makes the bitmap.
    void settle();
    [[nodiscard]] bool contains_commune(commune_id id) const noexcept;

    std::vector<commune_id> communes_;
    std::vector<territory> zones_;
    std::vector<named_token> devices_;
    bool everyone_ = false;

    std::vector<std::uint8_t> row_of_;  ///< By prefix: 1 + index into rows_; 0: none. Empty: no communes.
    std::vector<row> rows_;
};

/// Deduplication without memory: a device that follows several territories of an audience is sent to
/// from the first of them, and from no other. True if `here` is that first one.
///
/// `follows` is the device's list, ordered. The answer depends on nothing else, so it is the same on
/// every engine and every retry.
[[nodiscard]] bool is_first_match(
    const audience& whom, std::span<const territory> follows, const territory& here) noexcept;

}  // namespace tocsin
