#include "engine/delivery/waiting_line.hpp"

#include <algorithm>

namespace tocsin {
namespace {

// How many of each priority go out before the next gets its turn. Critical has none: it goes first.
constexpr std::array<std::uint32_t, priority_count> turns{0, 16, 4, 1};

}  // namespace

push* waiting_line::pop() noexcept {
    if (waiting_ == 0) {
        return nullptr;
    }
    --waiting_;
    if (push* const critical = queues_[0].pop_front()) {
        return critical;
    }
    for (;;) {
        for (std::size_t i = 1; i < priority_count; ++i) {
            if (turns_left_[i] != 0 && !queues_[i].empty()) {
                --turns_left_[i];
                return queues_[i].pop_front();
            }
        }
        turns_left_ = turns;
    }
}

void waiting_line::push_later(push& item, priority urgency, time_point due) {
    delayed_.push_back({due, &item, urgency});
    std::ranges::push_heap(delayed_, later);
}

void waiting_line::bring_forward(time_point now) noexcept {
    while (!delayed_.empty() && delayed_.front().due <= now) {
        const delayed next = pop_delayed();
        push_front(*next.item, next.urgency);
    }
}

time_point waiting_line::next_due() const noexcept {
    return delayed_.empty() ? time_point::max() : delayed_.front().due;
}

waiting_line::delayed waiting_line::pop_delayed() noexcept {
    if (delayed_.empty()) {
        return {};
    }
    std::ranges::pop_heap(delayed_, later);
    const delayed out = delayed_.back();
    delayed_.pop_back();
    return out;
}

void waiting_line::restore_heap() {
    std::ranges::make_heap(delayed_, later);
}

}  // namespace tocsin
