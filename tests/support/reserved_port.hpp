#pragma once

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tocsin::testing {

/// A port of 127.0.0.1 that the kernel gives to no one else while this lives. Whoever is told its number
/// can listen on it, end, and listen again: connections in between are refused, and never reach a server
/// of another test that was given the same number. It relies on SO_REUSEADDR, which a listener sets, too
/// (Asio's acceptors and redis-server do), and holds a socket that is bound but does not listen.
class reserved_port {
public:
    reserved_port() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int on = 1;
        sockaddr_in any{};
        any.sin_family = AF_INET;
        any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(any);
        auto* const address = reinterpret_cast<sockaddr*>(&any);
        if (::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
            ::bind(socket_, address, size) != 0 || ::getsockname(socket_, address, &size) != 0) {
            throw std::system_error(errno, std::generic_category(), "no free port");
        }
        number_ = ntohs(any.sin_port);
    }
    reserved_port(reserved_port&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), number_(other.number_) {}
    reserved_port& operator=(reserved_port&& other) noexcept {
        std::swap(socket_, other.socket_);
        std::swap(number_, other.number_);
        return *this;
    }
    ~reserved_port() {
        if (socket_ >= 0) {
            ::close(socket_);
        }
    }

    [[nodiscard]] std::uint16_t number() const noexcept { return number_; }

private:
    int socket_;
    std::uint16_t number_ = 0;
};

}  // namespace tocsin::testing
