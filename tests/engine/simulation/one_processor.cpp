#include "tests/engine/simulation/one_processor.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tocsin::testing {
namespace {

/// A name that one process of the machine can have, and loses however it ends. -1: another has it.
int claim(int processor) noexcept {
    const std::string name = "tocsin-one-processor-" + std::to_string(processor);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::ranges::copy(name, where.sun_path + 1);  // The NUL before it: not in the file system.
    const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (made >= 0 && ::bind(made, reinterpret_cast<const sockaddr*>(&where), size) != 0) {
        ::close(made);
        return -1;
    }
    return made;
}

}  // namespace

one_processor::one_processor() noexcept {
    if (sched_getaffinity(0, sizeof(before_), &before_) != 0) {
        return;
    }
    for (int each = 0; each < CPU_SETSIZE && claim_ < 0; ++each) {
        if (!CPU_ISSET(each, &before_)) {
            continue;
        }
        claim_ = claim(each);
        if (claim_ >= 0) {
            cpu_set_t chosen;
            CPU_ZERO(&chosen);
            CPU_SET(each, &chosen);
            sched_setaffinity(0, sizeof(chosen), &chosen);
        }
    }
}

one_processor::~one_processor() {
    if (claim_ >= 0) {
        sched_setaffinity(0, sizeof(before_), &before_);
        ::close(claim_);
    }
}

}  // namespace tocsin::testing
