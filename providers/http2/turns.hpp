#pragma once

#include "engine/core/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace tocsin::http2 {

/// When it pays to look at all connections of a thread together, and how often then.
struct turn_policy {
    /// Up to so many open streams of the whole thread, everything is looked at when it comes.
    std::size_t gather_above = 64;
    /// A turn may take this part of the round trip that is measured: an answer waits for half of it.
    int part_of_round_trip = 10;
    std::chrono::microseconds shortest{1'000};
    std::chrono::microseconds longest{6'000};
};

/// How often a thread looks at its connections. Holds no clock and no socket.
///
/// A provider answers one stream at a time. A wake-up, a read, a dispatch and a write for each of them cost
/// several times the rest of a push, and with many streams open hundreds of answers come within the
/// hundredth of a round trip that nobody notices.
class rhythm {
public:
    explicit rhythm(const turn_policy& policy = {}) noexcept : policy_(policy) {}

    /// The open streams of one connection have become so many more, or fewer.
    void count(std::size_t before, std::size_t now) noexcept { open_ += now - before; }
    void answered(duration after) noexcept { round_trip_ += (after - round_trip_) / weight; }

    /// Much is under way: what arrives may wait for the others.
    [[nodiscard]] bool busy() const noexcept { return open_ > policy_.gather_above; }
    /// From the beginning of one turn to that of the next.
    [[nodiscard]] duration period() const noexcept;
    [[nodiscard]] duration round_trip() const noexcept { return round_trip_; }
    [[nodiscard]] std::size_t open() const noexcept { return open_; }

private:
    static constexpr int weight = 64;  ///< An answer's part of the mean is one in so many.

    turn_policy policy_;
    std::size_t open_ = 0;
    duration round_trip_{};
};

/// Somebody whose connections are looked at in turns: a pool.
class turn_taker {
public:
    /// Reads what has arrived and writes what is due. True if it wants the next turn, too.
    [[nodiscard]] virtual bool take_turn() noexcept = 0;

protected:
    ~turn_taker() = default;
};

/// The turns of one thread, for the connections of all its pools: while its rhythm is busy, they are looked
/// at together. All calls come from that thread.
class turns final : public std::enable_shared_from_this<turns> {
public:
    turns(boost::asio::any_io_executor executor, const time_source& time, const turn_policy& policy = {});

    /// `who` is called from the next turn on whenever anybody expects one, until it leaves.
    void join(turn_taker& who) { takers_.push_back(&who); }
    void leave(const turn_taker& who) noexcept;

    /// Somebody has something that waits for a turn.
    void expect();
    /// True inside of one.
    [[nodiscard]] bool under_way() const noexcept { return under_way_; }

    [[nodiscard]] rhythm& pace() noexcept { return rhythm_; }
    [[nodiscard]] const rhythm& pace() const noexcept { return rhythm_; }

private:
    void arm(duration in);
    void take();

    const time_source& time_;
    rhythm rhythm_;
    boost::asio::steady_timer timer_;
    std::vector<turn_taker*> takers_;  ///< Null: has left during a turn.
    bool armed_ = false;
    bool under_way_ = false;
};

}  // namespace tocsin::http2
