#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace tocsin::sim {

/// The one timer of a thread, for all answers that wait for their time: those of every connection that
/// fall due within the same `period` leave together, as in any server that is busy.
class answer_clock {
public:
    class listener {
    public:
        /// Lets out what is due; when the next is, if anything still waits.
        [[nodiscard]] virtual std::optional<time_point> on_tick() = 0;

    protected:
        ~listener() = default;  // Never deleted through this interface.
    };

    answer_clock(boost::asio::io_context& context, duration period) : timer_(context), period_(period) {}

    /// Calls who->on_tick() whenever something may be due, until it says that nothing waits.
    void list(std::shared_ptr<listener> who) { waiting_.push_back(std::move(who)); }
    /// Something of one who is listed falls due at `due`; on_tick() comes then, or up to a period later.
    void expect(time_point due) {
        if (!armed_at_ || due + period_ < *armed_at_) {
            arm(due);
        }
    }

private:
    void arm(time_point due) {
        armed_at_ = std::max(due, last_tick_ + period_);
        timer_.expires_at(*armed_at_);
        timer_.async_wait([this](const error_code& ec) {
            if (!ec) {
                tick();
            }
        });
    }
    void tick() {
        armed_at_.reset();
        last_tick_ = clock::now();
        std::optional<time_point> next;
        std::erase_if(waiting_, [&next](const std::shared_ptr<listener>& who) {
            const auto due = who->on_tick();
            next = due && next ? std::min(*next, *due) : due ? due : next;
            return !due;
        });
        if (next) {
            expect(*next);
        }
    }

    boost::asio::steady_timer timer_;
    duration period_;
    std::vector<std::shared_ptr<listener>> waiting_;
    std::optional<time_point> armed_at_;
    time_point last_tick_{};
};

}  // namespace tocsin::sim
