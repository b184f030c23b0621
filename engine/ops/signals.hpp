#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>

namespace tocsin {

struct signal_callbacks {
    std::function<void()> stop;    ///< The first SIGTERM or SIGINT.
    std::function<void()> reload;  ///< Each SIGHUP.
    /// The second SIGTERM or SIGINT, with 128 + its number (143, 130), on the watching thread.
    /// Empty: ends the process at once, without destructors.
    std::function<void(int)> exit_now;
};

/// Turns the signals of an operator into calls on `executor`.
///
/// It watches from a thread of its own, so that the second signal ends the process even if the first
/// found the event loop stuck. Also makes the process ignore SIGPIPE, which would otherwise end it when
/// the reader of its log goes away. One per process at a time; the destructor gives the signals back.
class signal_watch {
public:
    signal_watch(boost::asio::any_io_executor executor, signal_callbacks callbacks);
    signal_watch(const signal_watch&) = delete;
    signal_watch& operator=(const signal_watch&) = delete;
    ~signal_watch();

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace tocsin
