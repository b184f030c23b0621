#include "tests/engine/simulation/blocking_redis.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tocsin::testing {
namespace {

/// The one command in `bytes` without its "BLOCK <ms>", if it has one: WAIT has none.
void take_out_blocking(std::string& bytes) {
    constexpr std::string_view word = "$5\r\nBLOCK\r\n";
    const std::size_t from = bytes.find(word);
    if (from == std::string::npos) {
        return;
    }
    const std::size_t number = bytes.find("\r\n", from + word.size()) + 2;
    bytes.erase(from, bytes.find("\r\n", number) + 2 - from);
    const std::size_t words = std::stoul(bytes.substr(1));
    bytes.replace(1, bytes.find("\r\n") - 1, std::to_string(words - 2));
}

/// The WAIT in `bytes`, if there is one, with another patience.
void set_patience(std::string& bytes, std::chrono::milliseconds patience) {
    constexpr std::string_view word = "$4\r\nWAIT\r\n";
    const std::size_t at = bytes.rfind(word);
    if (at == std::string::npos) {
        return;
    }
    const std::size_t how_many = bytes.find("\r\n", at + word.size()) + 2;
    const std::size_t from = bytes.find("\r\n", how_many) + 2;
    const std::size_t number = bytes.find("\r\n", from) + 2;
    const std::string text = std::to_string(patience.count());
    bytes.replace(from, bytes.find("\r\n", number) - from, "$" + std::to_string(text.size()) + "\r\n" + text);
}

}  // namespace

blocking_redis::blocking_redis(const std::string& socket_path)
    : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::strncpy(where.sun_path, socket_path.c_str(), sizeof(where.sun_path) - 1);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) != 0) {
        throw std::system_error(errno, std::generic_category(), socket_path);
    }
}

blocking_redis::~blocking_redis() {
    close(socket_);
}

redis::replies blocking_redis::ask(redis::request what) {
    const bool waits = what.expected_delay().count() != 0;
    const auto one = std::make_shared<redis::operation>(std::move(what));
    line_.push(one);
    std::string out;
    while (!one->done) {
        out.clear();
        line_.take_output(out, SIZE_MAX);
        if (waits) {
            take_out_blocking(out);
            set_patience(out, replica_patience_);
        }
        for (std::string_view rest = out; !rest.empty();) {
            const ssize_t sent = send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                throw std::system_error(errno, std::generic_category(), "send to Redis");
            }
            rest.remove_prefix(static_cast<std::size_t>(sent));
        }
        while (!one->done && !line_.has_output()) {
            std::array<char, 16'384> in;
            const ssize_t count = recv(socket_, in.data(), in.size(), 0);
            if (count <= 0) {
                throw std::system_error(errno, std::generic_category(), "recv from Redis");
            }
            if (line_.feed({in.data(), static_cast<std::size_t>(count)}).has_error()) {
                throw std::runtime_error("Redis does not speak its protocol");
            }
        }
    }
    if (one->failure) {
        throw std::runtime_error("Redis: " + one->failure.message());
    }
    return std::move(one->answers);
}

}  // namespace tocsin::testing
