#include "providers/http2/unsent.hpp"

#include <algorithm>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace tocsin::http2 {
namespace {

std::int64_t unsent_in_kernel(int socket) noexcept {
    int count = 0;
    return ioctl(socket, SIOCOUTQNSD, &count) == 0 ? count : 0;
}

/// It sends nothing any more, whatever comes in.
bool is_dead(int socket) noexcept {
    tcp_info info{};
    socklen_t size = sizeof(info);
    return getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == TCP_CLOSE;
}

/// Ends the connection at this instant, and throws away what it holds.
bool dissolve(int socket) noexcept {
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    return connect(socket, &nobody, sizeof(nobody)) == 0;
}

}  // namespace

std::size_t take_back_unsent(int socket) noexcept {
    const bool dead = is_dead(socket);
    const std::int64_t unsent = unsent_in_kernel(socket);
    if (unsent <= 0 || dead) {
        return static_cast<std::size_t>(std::max<std::int64_t>(0, unsent));
    }
    // Between that question and the end some of it may have left. The kernel does not forget where it was,
    // but moves the end of what was written, by the same each time: so two ends tell what there was at the
    // first. Should a kernel do it in another way, or something have left, the sum does not come out.
    if (!dissolve(socket)) {
        return 0;
    }
    const std::int64_t once = unsent_in_kernel(socket);
    if (!dissolve(socket)) {
        return 0;
    }
    const std::int64_t twice = unsent_in_kernel(socket);
    return once - (twice - once) == unsent ? static_cast<std::size_t>(unsent) : 0;
}

std::uint64_t write_log::plain_behind(std::uint64_t cipher, std::uint64_t plain_end) const noexcept {
    const std::size_t known = std::min(count_, most);
    std::uint64_t next = plain_end;
    for (std::size_t i = 0; i < known; ++i) {
        const entry& at = entries_[(count_ - 1 - i) % most];
        if (at.cipher < cipher) {
            return std::min(at.plain + (cipher - at.cipher), next);
        }
        next = at.plain;
    }
    return next;
}

}  // namespace tocsin::http2
