#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/page.hpp"
#include "engine/event/publish_event.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

namespace tocsin {

/// The shards whose pages a lane has yet to open. They give a page each, in turns: a village does not wait
/// behind a nation. Belongs to one thread.
class shard_queue {
public:
    /// Behind the others of its priority.
    void push(std::shared_ptr<active_shard> shard) {
        queues_[static_cast<std::size_t>(shard->event->content.priority)].push_back(std::move(shard));
    }
    [[nodiscard]] bool empty() const noexcept {
        return std::ranges::all_of(queues_, [](const auto& queue) { return queue.empty(); });
    }

    struct any_shard {
        bool operator()(const active_shard&) const noexcept { return true; }
    };
    struct choice {
        std::shared_ptr<active_shard> shard;  ///< Null: none has a page to open at this moment.
        /// Without a shard: when the first of the open priorities has; wall_time::max() if none will by
        /// itself.
        wall_time due = wall_time::max();
    };
    /// Takes out the next shard of the most urgent priority that `open` is true of, whose page is due and
    /// which `fits`.
    template <class Predicate, class Fits = any_shard>
    [[nodiscard]] choice take(wall_time now, Predicate open, Fits fits = {}) {
        choice out;
        for (std::size_t i = 0; i < priority_count; ++i) {
            auto& queue = queues_[i];
            if (queue.empty() || !open(static_cast<priority>(i))) {
                continue;
            }
            // One whose moment has not come waits at the end of the line.
            for (std::size_t tried = queue.size(); tried != 0; --tried) {
                const wall_time due = queue.front()->due();
                if (due <= now && fits(*queue.front())) {
                    out.shard = std::move(queue.front());
                    queue.pop_front();
                    return out;
                }
                out.due = due <= now ? out.due : std::min(out.due, due);
                queue.push_back(std::move(queue.front()));
                queue.pop_front();
            }
        }
        return out;
    }

private:
    std::array<std::deque<std::shared_ptr<active_shard>>, priority_count> queues_;
};

}  // namespace tocsin
