#include "engine/delivery/lane_runner.hpp"
#include "engine/delivery/worker.hpp"
#include "engine/runtime/deadline.hpp"
#include "engine/runtime/timer.hpp"

#include <algorithm>

// How a worker ends: it waits for answers, and gives back what is left.

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

}  // namespace

asio::awaitable<void> worker::stop(time_point answers_until, time_point end) {
    stopping_ = true;
    for (auto& [which, runner] : lanes_) {
        runner->shards.clear();
        runner->changed.wake_all();
        runner->line.stop(time_.now());
        runner->look.wake_all();
    }
    const auto in_flight = [this] {
        return std::ranges::any_of(
            lanes_, [](const auto& item) { return item.second->line.in_flight() != 0; });
    };
    timer poll(executor_, time_);
    while (in_flight() && time_.now() < answers_until) {
        co_await poll.wait_for(5ms);
    }
    abandon_in_flight();
    while (*busy_ != 0 && time_.now() < end) {
        co_await poll.wait_for(5ms);
    }
    // with_deadline() knows the machine's clock alone.
    co_await with_deadline(give_back(), tocsin::clock::now() + (end - time_.now()));
}

std::vector<push*> worker::in_flight_of(const target& which) const {
    // Collected first: a page leaves open_ with the last of its pushes.
    std::vector<push*> out;
    for (const auto& [key, open] : open_) {
        if (open->from()->which == which) {
            for (push& item : open->pushes()) {
                if (item.in_flight) {
                    out.push_back(&item);
                }
            }
        }
    }
    return out;
}

void worker::abandon_in_flight() {
    for (auto& [which, runner] : lanes_) {
        runner->now = {};
        runner->retiring.clear();
        runner->retired = true;
        runner->look.wake_all();
        for (push* const item : in_flight_of(which)) {
            runner->line.abandon(*item);
        }
    }
}

// What is left of the shards goes back for any engine to take, at once.
asio::awaitable<result<>> worker::give_back() {
    const auto left = held_;
    for (const auto& shard : left) {
        shard->abandoned = true;
        const auto released = co_await ledger_.release(shard->event->id, shard->which, shard->entry);
        if (released.has_error()) {
            co_return released.error();
        }
        shard_finished(*shard);
    }
    co_return result<>();
}

}  // namespace tocsin
