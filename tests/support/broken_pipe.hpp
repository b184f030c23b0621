#pragma once

#include <csignal>
#include <ctime>

namespace tocsin::testing {

/// While it lives, this thread's writing to a peer that hung up fails with EPIPE, and no SIGPIPE ends the
/// test program without a word. For libraries that write(2) to a socket: hiredis, and OpenSSL over a
/// descriptor. Ignoring the signal instead would be inherited by the programs that a test starts.
class broken_pipe_is_an_error {
public:
    broken_pipe_is_an_error() noexcept {
        sigemptyset(&broken_pipe_);
        sigaddset(&broken_pipe_, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &broken_pipe_, &before_);
    }
    ~broken_pipe_is_an_error() {
        const timespec at_once{};
        sigtimedwait(&broken_pipe_, nullptr, &at_once);
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    broken_pipe_is_an_error(const broken_pipe_is_an_error&) = delete;
    broken_pipe_is_an_error& operator=(const broken_pipe_is_an_error&) = delete;

private:
    sigset_t broken_pipe_{};
    sigset_t before_{};
};

}  // namespace tocsin::testing
