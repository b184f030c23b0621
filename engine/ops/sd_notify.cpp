#include "engine/ops/sd_notify.hpp"

#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>

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

std::optional<std::chrono::microseconds> watchdog_interval(
    std::optional<std::string> usec, std::optional<std::string> pid, int own_pid) {
    const auto number = [](const std::string& text) -> std::optional<std::int64_t> {
        std::int64_t value = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
        return problem == std::errc() && end == text.data() + text.size() && value > 0 ? std::optional(value)
                                                                                       : std::nullopt;
    };
    if (!usec || (pid && number(*pid) != own_pid)) {
        return std::nullopt;
    }
    const auto limit = number(*usec);
    return limit ? std::optional(std::chrono::microseconds(std::max<std::int64_t>(1, *limit / 2)))
                 : std::nullopt;
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
