#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

/// Tells the service manager how the service is doing: the datagrams of sd_notify(3), a documented and
/// stable protocol, without libsystemd. Does nothing where no manager asked for it.
class sd_notifier {
public:
    /// `socket` is the value of NOTIFY_SOCKET: a path, or "@name" for an abstract socket.
    explicit sd_notifier(std::optional<std::string> socket) : socket_(std::move(socket)) {}

    /// Start-up or a reload is over.
    result<> ready() const { return send("READY=1"); }
    /// A reload begins; ready() ends it. `now` is what Type=notify-reload matches the reload with.
    result<> reloading(time_point now) const;
    result<> stopping() const { return send("STOPPING=1"); }
    /// The sign of life that watchdog_interval() asks for.
    result<> alive() const { return send("WATCHDOG=1"); }
    /// One line for `systemctl status`.
    result<> status(std::string_view sentence) const;

private:
    result<> send(const std::string& assignments) const;

    std::optional<std::string> socket_;
};

/// How often alive() has to be called: half of what WATCHDOG_USEC allows. Nothing if no manager waits for it;
/// `pid` is the value of WATCHDOG_PID, the process that is meant.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval(
    std::optional<std::string> usec, std::optional<std::string> pid, int own_pid);

}  // namespace tocsin
