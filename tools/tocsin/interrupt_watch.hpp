#pragma once

#include <chrono>
#include <csignal>

namespace tocsin::cli {

/// Holds SIGINT and SIGTERM back while it lives, so that who started other processes can end them in
/// order. Make it before any thread; child_process gives children their signals back.
class interrupt_watch {
public:
    interrupt_watch() noexcept;
    interrupt_watch(const interrupt_watch&) = delete;
    interrupt_watch& operator=(const interrupt_watch&) = delete;
    ~interrupt_watch();

    /// True for ever once one of them has come.
    [[nodiscard]] bool arrived() noexcept { return wait(std::chrono::milliseconds(0)); }
    /// Sleeps for `time` or until one comes; true if one has come.
    [[nodiscard]] bool wait(std::chrono::nanoseconds time) noexcept;

private:
    sigset_t which_;
    sigset_t before_;
    bool arrived_ = false;
};

}  // namespace tocsin::cli
