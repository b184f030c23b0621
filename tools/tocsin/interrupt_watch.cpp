#include "tools/tocsin/interrupt_watch.hpp"

#include <ctime>

namespace tocsin::cli {

interrupt_watch::interrupt_watch() noexcept {
    sigemptyset(&which_);
    sigaddset(&which_, SIGINT);
    sigaddset(&which_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &which_, &before_);
}

interrupt_watch::~interrupt_watch() {
    // One that is still pending would end the process here, past all that it has to say.
    const timespec at_once{};
    while (sigtimedwait(&which_, nullptr, &at_once) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool interrupt_watch::wait(std::chrono::nanoseconds time) noexcept {
    if (!arrived_) {
        const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
        const timespec most{seconds.count(), (time - seconds).count()};
        arrived_ = sigtimedwait(&which_, nullptr, &most) > 0;
    }
    return arrived_;
}

}  // namespace tocsin::cli
