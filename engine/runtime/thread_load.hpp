#pragma once

#include "engine/core/clock.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>

#include <fcntl.h>
#include <unistd.h>

namespace tocsin {

/// How much of the time one thread has something to do: runs, or is ready to and finds no core free. All
/// calls come from that thread.
///
/// From the kernel's own account of it (/proc/thread-self/schedstat); where there is none, a thread
/// is never busy.
class thread_load {
public:
    thread_load() = default;
    thread_load(const thread_load&) = delete;
    thread_load& operator=(const thread_load&) = delete;
    ~thread_load() {
        if (file_ >= 0) {
            ::close(file_);
        }
    }

    /// From 0 to 1, of some tenth of a second that has just passed. Cheap: asked more often, it gives the
    /// answer of before.
    [[nodiscard]] double share(time_point now) noexcept {
        if (now - asked_at_ >= shortest) {
            const std::chrono::nanoseconds busy = busy_so_far();
            share_ = asked_at_ == time_point{} ? 0
                                               : static_cast<double>((busy - busy_).count()) /
                                                     static_cast<double>((now - asked_at_).count());
            busy_ = busy;
            asked_at_ = now;
        }
        return share_;
    }

private:
    static constexpr std::chrono::milliseconds shortest{80};

    /// Time on a core and time of waiting for one, since the thread was made.
    [[nodiscard]] std::chrono::nanoseconds busy_so_far() noexcept {
        if (file_ < 0) {
            file_ = ::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
        }
        std::array<char, 96> text{};
        const ssize_t size = file_ < 0 ? 0 : ::pread(file_, text.data(), text.size(), 0);
        if (size <= 0) {
            return {};
        }
        const char* const end = text.data() + size;
        std::int64_t ran = 0;
        std::int64_t waited = 0;
        const auto first = std::from_chars(text.data(), end, ran);
        if (first.ptr != end) {
            std::from_chars(first.ptr + 1, end, waited);
        }
        return std::chrono::nanoseconds(ran + waited);
    }

    int file_ = -1;
    time_point asked_at_{};
    std::chrono::nanoseconds busy_{};
    double share_ = 0;
};

}  // namespace tocsin
