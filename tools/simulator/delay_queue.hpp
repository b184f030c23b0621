#pragma once

#include "engine/core/clock.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace tocsin::sim {

/// Answers that wait for their time, earliest first; equal times leave in the order they came.
class delay_queue {
public:
    void push(time_point due, std::int32_t stream) {
        heap_.push_back({due, next_++, stream});
        std::push_heap(heap_.begin(), heap_.end(), later);
    }

    /// The next stream whose time has come.
    [[nodiscard]] std::optional<std::int32_t> pop_due(time_point now) {
        if (heap_.empty() || heap_.front().due > now) {
            return std::nullopt;
        }
        std::pop_heap(heap_.begin(), heap_.end(), later);
        const std::int32_t stream = heap_.back().stream;
        heap_.pop_back();
        return stream;
    }

    [[nodiscard]] std::optional<time_point> next_due() const noexcept {
        return heap_.empty() ? std::nullopt : std::optional(heap_.front().due);
    }
    [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }

    /// Takes out every stream above `last`.
    void remove_above(std::int32_t last) {
        std::erase_if(heap_, [last](const entry& waiting) { return waiting.stream > last; });
        std::make_heap(heap_.begin(), heap_.end(), later);
    }

    /// The stream in the middle of those that wait, by number; empty if none waits.
    [[nodiscard]] std::optional<std::int32_t> median_stream() const {
        if (heap_.empty()) {
            return std::nullopt;
        }
        std::vector<std::int32_t> streams;
        streams.reserve(heap_.size());
        for (const entry& waiting : heap_) {
            streams.push_back(waiting.stream);
        }
        const auto middle = streams.begin() + static_cast<std::ptrdiff_t>(streams.size() / 2);
        std::nth_element(streams.begin(), middle, streams.end());
        return *middle;
    }

private:
    struct entry {
        time_point due;
        std::uint64_t order;
        std::int32_t stream;
    };
    static bool later(const entry& a, const entry& b) noexcept {
        return a.due != b.due ? a.due > b.due : a.order > b.order;
    }

    std::vector<entry> heap_;
    std::uint64_t next_ = 0;
};

}  // namespace tocsin::sim
