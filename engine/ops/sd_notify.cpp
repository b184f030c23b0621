#include "engine/ops/sd_notify.hpp"

#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tocsin {
namespace {

error_code last_error() noexcept {
    return {errno, boost::system::system_category()};
}

class descriptor {
public:
    explicit descriptor(int value) noexcept : value_(value) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (value_ >= 0) {
            ::close(value_);
        }
    }
    [[nodiscard]] int get() const noexcept { return value_; }

private:
    int value_;
};

}  // namespace

result<> sd_notifier::send(const std::string& assignments) const {
    if (!socket_ || socket_->empty()) {
        return result<>();
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_->size() >= sizeof(address.sun_path)) {
        return error_code(ENAMETOOLONG, boost::system::system_category());
    }
    std::ranges::copy(*socket_, address.sun_path);
    if (address.sun_path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_->size());

    const descriptor out(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (out.get() < 0) {
        return last_error();
    }
    const auto* const target = reinterpret_cast<const sockaddr*>(&address);
    if (::sendto(out.get(), assignments.data(), assignments.size(), MSG_NOSIGNAL, target, size) < 0) {
        return last_error();
    }
    return result<>();
}

result<> sd_notifier::reloading(time_point now) const {
    const auto since_boot = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
    return send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(since_boot.count()));
}

result<> sd_notifier::status(std::string_view sentence) const {
    std::string line(sentence);
    // A line feed would begin another assignment.
    std::ranges::replace(line, '\n', ' ');
    return send("STATUS=" + line);
}

}  // namespace tocsin
