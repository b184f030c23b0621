#include "engine/ops/log_sink.hpp"

#include "engine/core/token_bucket.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/sink.h>
#include <unistd.h>

namespace tocsin {
namespace {

constexpr std::size_t queue_length = 8192;
// Events are named by the source code, of which there is so much; past this they share one budget.
constexpr std::size_t most_events = 1024;
constexpr std::string_view remaining_events = "(others)";

/// Writes finished lines to a descriptor, each with one system call if it is no longer than a pipe takes in
/// one piece, so that lines of several processes on one terminal do not mix. A reader that takes nothing is
/// waited for, but not once the end has begun: the process must be able to exit.
class descriptor_sink final : public spdlog::sinks::sink {
public:
    descriptor_sink(int descriptor, std::chrono::milliseconds farewell) noexcept
        : descriptor_(descriptor), farewell_(farewell) {}

    void log(const spdlog::details::log_msg& line) override {
        const char* at = line.payload.data();
        std::size_t left = line.payload.size();
        while (left != 0) {
            if (!wait_until_writable()) {
                return;
            }
            const ssize_t written = ::write(descriptor_, at, std::min<std::size_t>(left, PIPE_BUF));
            if (written > 0) {
                at += written;
                left -= static_cast<std::size_t>(written);
            } else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
                return;  // A log that cannot be written has nowhere to complain.
            }
        }
    }
    /// From here on nobody waits for long. Thread-safe.
    void close() noexcept { closing_.store(true, std::memory_order_relaxed); }

    void flush() override {}
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

private:
    /// A write of at most PIPE_BUF bytes does not block after this. False: the reader has had its time.
    bool wait_until_writable() noexcept {
        for (;;) {
            pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
            const bool hurry = closing_.load(std::memory_order_relaxed);
            const auto patience = hurry ? std::min(slice, farewell_ - waited_) : slice;
            const int found = ::poll(&ready, 1, static_cast<int>(std::max(patience.count(), rep{0})));
            if (found > 0 || (found < 0 && errno != EINTR)) {
                return true;  // Or broken, which the write finds out.
            }
            if (hurry && (waited_ += patience) >= farewell_) {
                return false;
            }
        }
    }

    using rep = std::chrono::milliseconds::rep;
    static constexpr std::chrono::milliseconds slice{100};
    int descriptor_;
    std::chrono::milliseconds farewell_;
    std::chrono::milliseconds waited_{0};  ///< Since the end has begun.
    std::atomic<bool> closing_{false};
};

}  // namespace

struct log_sink::implementation {
    struct budget {
        token_bucket bucket;
        std::uint64_t suppressed = 0;
    };

    implementation(const log_sink_options& options, const time_source& clock_to_use)
        : time(clock_to_use),
          format(options.format),
          lines_per_second(std::max(1U, options.lines_per_second)),
          level(options.level),
          pool(std::make_shared<spdlog::details::thread_pool>(queue_length, 1)),
          out(std::make_shared<descriptor_sink>(options.descriptor, options.farewell)),
          line_logger(std::make_shared<spdlog::async_logger>(
              "tocsin", out, pool, spdlog::async_overflow_policy::overrun_oldest)),
          next_report(clock_to_use.now() + std::chrono::seconds(1)) {
        line_logger->set_level(spdlog::level::trace);
    }
    implementation(const implementation&) = delete;
    implementation& operator=(const implementation&) = delete;
    // The pool first: it writes what is queued and joins its thread, which then uses the logger no more.
    ~implementation() {
        out->close();
        pool.reset();
    }

    void put(log_level at, std::string_view event, std::span<const log_field> fields) {
        const std::string line = format_log_line(format, time.wall_now(), at, event, fields);
        line_logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
    }

    /// True if the line may be written; otherwise it has been counted.
    bool admit(std::string_view event, time_point now) {
        const std::scoped_lock lock(mutex);
        auto found = budgets.find(event);
        if (found == budgets.end()) {
            const std::string_view name = budgets.size() < most_events ? event : remaining_events;
            const token_bucket::limits limits{
                .tokens_per_second = lines_per_second, .burst = lines_per_second};
            found = budgets.try_emplace(std::string(name), budget{token_bucket(limits, now)}).first;
        }
        if (found->second.bucket.try_take(1, now)) {
            return true;
        }
        ++found->second.suppressed;
        return false;
    }

    void report_losses() {
        std::vector<std::pair<std::string, std::uint64_t>> cut;
        {
            const std::scoped_lock lock(mutex);
            for (auto& [event, state] : budgets) {
                if (state.suppressed != 0) {
                    cut.emplace_back(event, std::exchange(state.suppressed, 0));
                }
            }
        }
        for (const auto& [event, lines] : cut) {
            const std::array fields{log_field("of", event), log_field("lines", lines)};
            put(log_level::warning, "log.suppressed", fields);
        }
        const std::size_t overrun = pool->overrun_counter();
        const std::size_t before = overrun_reported.exchange(overrun);
        if (overrun > before) {
            const std::array fields{log_field("lines", overrun - before)};
            put(log_level::warning, "log.overrun", fields);
        }
    }

    /// True once a second, for one caller.
    bool report_is_due(time_point now) {
        const std::scoped_lock lock(mutex);
        if (now < next_report) {
            return false;
        }
        next_report = now + std::chrono::seconds(1);
        return true;
    }

    const time_source& time;
    const log_format format;
    const std::uint32_t lines_per_second;
    std::atomic<log_level> level;
    // The logger only points to the pool weakly.
    std::shared_ptr<spdlog::details::thread_pool> pool;
    std::shared_ptr<descriptor_sink> out;
    std::shared_ptr<spdlog::async_logger> line_logger;
    std::mutex mutex;
    std::map<std::string, budget, std::less<>> budgets;
    time_point next_report;
    std::atomic<std::size_t> overrun_reported{0};
};

log_sink::log_sink(const log_sink_options& options, const time_source& time)
    : implementation_(std::make_unique<implementation>(options, time)) {}

log_sink::~log_sink() {
    try {
        implementation_->report_losses();
    } catch (...) {
        return;  // Out of memory at the very end: the count is lost, the lines before are not.
    }
}

bool log_sink::enabled(log_level level) const noexcept {
    return level >= implementation_->level.load(std::memory_order_relaxed);
}

void log_sink::expect_end() noexcept {
    implementation_->out->close();
}

void log_sink::set_level(log_level level) noexcept {
    implementation_->level.store(level, std::memory_order_relaxed);
}

void log_sink::write(log_level level, std::string_view event, std::span<const log_field> fields) noexcept {
    if (!enabled(level)) {
        return;
    }
    try {
        const time_point now = implementation_->time.now();
        if (implementation_->report_is_due(now)) {
            implementation_->report_losses();
        }
        if (implementation_->admit(event, now)) {
            implementation_->put(level, event, fields);
        }
    } catch (...) {
        return;  // Out of memory: losing a line is better than ending the process for it.
    }
}

log_sink_options log_options_for(const log_settings& chosen, int descriptor, bool no_colour) {
    log_sink_options out;
    out.level = log_level_from(chosen.level);
    out.descriptor = descriptor;
    const bool terminal = ::isatty(descriptor) == 1;
    if (chosen.format == "text" || (chosen.format == "auto" && terminal)) {
        out.format = terminal && !no_colour ? log_format::colour_text : log_format::text;
    }
    return out;
}

log_level log_level_from(std::string_view name) noexcept {
    for (const log_level level : {log_level::debug, log_level::info, log_level::warning, log_level::error}) {
        if (name == name_of(level)) {
            return level;
        }
    }
    return log_level::info;
}

}  // namespace tocsin
