#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/push.hpp"
#include "engine/delivery/push_queue.hpp"
#include "engine/event/publish_event.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace tocsin {

/// Pushes in the order in which they go out: critical ones first, the others by turns of their
/// priorities, so that none starves; beside them those whose moment has not come. Owns no push.
class waiting_line {
public:
    void push_back(push& item, priority urgency) noexcept {
        queue(urgency).push_back(item);
        ++waiting_;
    }
    void push_front(push& item, priority urgency) noexcept {
        queue(urgency).push_front(item);
        ++waiting_;
    }
    /// Null if nothing waits.
    [[nodiscard]] push* pop() noexcept;
    /// The first of the lowest rank. Looks at all.
    template <class Rank>
    [[nodiscard]] push* pop_lowest(Rank rank) {
        push* lowest = nullptr;
        push_queue* its_queue = nullptr;
        auto lowest_rank = std::numeric_limits<std::size_t>::max();
        for (push_queue& each : queues_) {
            each.for_each([&](push& item) {
                const std::size_t its_rank = rank(item);
                if (lowest == nullptr || its_rank < lowest_rank) {
                    lowest = &item;
                    its_queue = &each;
                    lowest_rank = its_rank;
                }
            });
        }
        if (lowest != nullptr) {
            its_queue->remove(*lowest);
            --waiting_;
        }
        return lowest;
    }

    void push_later(push& item, priority urgency, time_point due);
    /// Puts those whose moment has come in front of those that wait.
    void bring_forward(time_point now) noexcept;
    /// When bring_forward() is worth calling; time_point::max(): nothing waits for its moment.
    [[nodiscard]] time_point next_due() const noexcept;
    /// One that waits for its moment, and when that is; the item is null if there is none.
    struct delayed {
        time_point due;
        push* item = nullptr;
        priority urgency = priority::normal;
    };
    [[nodiscard]] delayed pop_delayed() noexcept;

    /// Takes out everything that `unwanted` is true of. It may end the push; what is put in line meanwhile
    /// stays there.
    template <class Predicate>
    void remove_if(Predicate unwanted) {
        for (push_queue& each : queues_) {
            for (std::size_t left = each.size(); left != 0; --left) {
                push* const item = each.pop_front();
                --waiting_;
                if (!unwanted(*item)) {
                    each.push_back(*item);
                    ++waiting_;
                }
            }
        }
        remove_delayed_if(unwanted);
    }

    /// Without those whose moment has not come.
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
    /// The same of what is as urgent as that, or more.
    [[nodiscard]] std::size_t waiting(priority least) const noexcept {
        std::size_t count = 0;
        for (std::size_t i = 0; i <= static_cast<std::size_t>(least); ++i) {
            count += queues_[i].size();
        }
        return count;
    }
    [[nodiscard]] std::size_t critical() const noexcept { return queues_[0].size(); }

private:
    [[nodiscard]] push_queue& queue(priority urgency) noexcept {
        return queues_[static_cast<std::size_t>(urgency)];
    }
    /// Later moments sink in the heap.
    static bool later(const delayed& a, const delayed& b) noexcept { return a.due > b.due; }
    void restore_heap();
    template <class Predicate>
    void remove_delayed_if(Predicate unwanted) {
        if (std::erase_if(delayed_, [&](const delayed& one) { return unwanted(*one.item); }) != 0) {
            restore_heap();
        }
    }

    std::array<push_queue, priority_count> queues_;
    std::array<std::uint32_t, priority_count> turns_left_{};
    std::vector<delayed> delayed_;  ///< A heap.
    std::size_t waiting_ = 0;
};

}  // namespace tocsin
