#pragma once

#include "engine/delivery/page.hpp"
#include "engine/delivery/push.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// Pushes whose answer calls their token bad in words that a mistake of ours brings about as well: kept,
/// and ended by nobody, until something else speaks for the app or all others of their page have ended.
/// Owns no push.
class quarantine {
public:
    struct suspect {
        push* item;
        std::string reason;
    };

    void keep(push& item, std::string_view reason) {
        kept_.push_back({&item, std::string(reason)});
        item.owner->put_on_trial();
    }
    [[nodiscard]] bool empty() const noexcept { return kept_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return kept_.size(); }

    /// Hands back those that `wanted` is true of; they are no longer kept.
    template <class Predicate>
    [[nodiscard]] std::vector<suspect> release(Predicate wanted) {
        const auto its =
            std::ranges::partition(kept_, [&wanted](const suspect& one) { return !wanted(*one.item); });
        std::vector<suspect> out(std::make_move_iterator(its.begin()), std::make_move_iterator(its.end()));
        kept_.erase(its.begin(), its.end());
        for (const suspect& one : out) {
            one.item->owner->end_trial();
        }
        return out;
    }

private:
    std::vector<suspect> kept_;
};

}  // namespace tocsin
