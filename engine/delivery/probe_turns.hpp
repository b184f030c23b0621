#pragma once

#include "engine/delivery/page.hpp"
#include "engine/delivery/push.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <string>

namespace tocsin {

/// Which push of a paused lane is the next probe. Events take turns, since one alone may be at fault: the
/// tokens of one town, say. An event that names an app by itself proves nothing, and comes last.
class probe_turns {
public:
    /// The push of the lowest rank is next.
    [[nodiscard]] std::size_t rank(const push& item) const noexcept {
        const auto known = std::ranges::find(last_, number_of(item));
        const auto place = known == last_.end() ? 0 : 1 + static_cast<std::size_t>(known - last_.begin());
        const bool overridden = item.content != nullptr && item.content->overridden();
        return place + (overridden ? last_.size() + 1 : 0);
    }
    void probed(const push& item) noexcept {
        const std::size_t number = number_of(item);
        auto* place = std::ranges::find(last_, number);
        place = place == last_.end() ? last_.begin() : place;
        std::rotate(place, place + 1, last_.end());
        last_.back() = number;
    }

private:
    /// Never 0, which stands where nothing is.
    static std::size_t number_of(const push& item) noexcept {
        return std::hash<std::string>()(item.owner->event().id) | 1;
    }

    std::array<std::size_t, 64> last_{};  ///< Events that were probed, the latest last.
};

}  // namespace tocsin
