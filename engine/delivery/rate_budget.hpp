#pragma once

#include "engine/control/quota_book.hpp"
#include "engine/core/clock.hpp"

#include <cstdint>
#include <deque>

namespace tocsin {

/// One lane's part of a rate that it shares with other lanes: spends the slices it was given, says
/// when it needs another, and gets by on its usual part while nobody answers. Does no I/O.
class rate_budget {
public:
    /// `rate` is of all lanes together, in pushes per second, and not 0.
    rate_budget(std::uint64_t rate, time_point now);

    /// Takes one push's worth if it is there.
    [[nodiscard]] bool try_take(time_point now) noexcept;
    /// After try_take() has said no: when it is worth asking again; time_point::max(): with the next slice.
    [[nodiscard]] time_point ready_at(time_point now) const noexcept;

    /// How many pushes to ask for, if `waiting` of them call for another slice now; 0 if they do not.
    /// After a number other than 0, tell granted() or failed() before asking again.
    [[nodiscard]] std::uint32_t ask(std::size_t waiting, time_point now);
    void granted(const quota_slice& slice, time_point now);
    /// Nobody gives slices out at the moment: this lane's usual part is spent without asking.
    void failed(time_point now);

    [[nodiscard]] std::uint64_t rate() const noexcept { return rate_; }

private:
    struct open_slice {
        quota_slice given;
        std::uint32_t used = 0;
        [[nodiscard]] std::uint32_t usable(time_point now) const noexcept;
    };
    void drop_stale(time_point now) noexcept;
    void remember(std::uint32_t pushes, time_point now) noexcept;

    std::uint64_t rate_;
    std::deque<open_slice> slices_;
    bool asked_ = false;
    time_point window_begin_;
    std::uint64_t window_pushes_ = 0;
    double usual_ = 0;  ///< Pushes per second, of this lane, lately.
};

}  // namespace tocsin
