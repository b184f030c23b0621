#include "providers/http2/turns.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::http2 {
namespace {

// However long a turn takes, the thread's other work comes to its right before the next.
constexpr int rest_between = 4;

}  // namespace

duration rhythm::period() const noexcept {
    return std::clamp<duration>(round_trip_ / policy_.part_of_round_trip, policy_.shortest, policy_.longest);
}

turns::turns(boost::asio::any_io_executor executor, const time_source& time, const turn_policy& policy)
    : time_(time), rhythm_(policy), timer_(std::move(executor)) {}

void turns::leave(const turn_taker& who) noexcept {
    if (under_way_) {
        std::ranges::replace(takers_, &who, nullptr);
    } else {
        std::erase(takers_, &who);
    }
}

void turns::expect() {
    if (!armed_ && !under_way_) {
        arm(rhythm_.period());
    }
}

void turns::arm(duration in) {
    armed_ = true;
    timer_.expires_after(in);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code&) {
        if (const auto self = weak.lock()) {
            self->armed_ = false;
            self->take();
        }
    });
}

void turns::take() {
    const time_point begun = time_.now();
    under_way_ = true;
    bool again = false;
    for (std::size_t i = 0; i < takers_.size(); ++i) {  // Who joins meanwhile is last.
        if (takers_[i] != nullptr) {
            again = takers_[i]->take_turn() || again;
        }
    }
    under_way_ = false;
    std::erase(takers_, nullptr);
    if (again) {
        const duration period = rhythm_.period();
        arm(std::max(period - (time_.now() - begun), period / rest_between));
    }
}

}  // namespace tocsin::http2
