#pragma once

#include "tests/support/reserved_port.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace tocsin::testing {

struct redis_server_options {
    bool tcp = false;            ///< Also listen on a free port of 127.0.0.1.
    bool tls = false;            ///< Speak TLS on that port, with a certificate for localhost and 127.0.0.1.
    std::string certificate_of;  ///< The ca_file() of another server, to have the same certificate.
    bool append_only = false;    ///< What was answered survives kill() and restart().
    std::string password;        ///< Of the user "default"; empty: none.
    std::vector<std::string> users;  ///< ACL lines: "alice on >secret ~* &* +@all".
    bool cluster = false;            ///< A node of a cluster, with no slots yet; also listens on a port.
    /// What stands in a configuration file of its own, as a Sentinel must have.
    std::vector<std::string> config;
    std::vector<std::string> extra;  ///< More arguments, as {"--maxmemory", "10mb"}.
};

/// A real redis-server of one's own, in a directory of its own; both are gone with the object.
///
///     redis_server server;                     // on a Unix socket only
///     server.cli({"XADD", "s", "*", "event", "{}"});
///     client redis(loop.get_executor(), parse_address(server.url()).value(), …);
///
/// Everything that fails here throws std::runtime_error, with the server's log. Make it on a
/// thread that outlives it: the server dies with the thread that started it, so that a crashed
/// test leaves none behind.
class redis_server {
public:
    explicit redis_server(redis_server_options options = {});
    redis_server(const redis_server&) = delete;
    redis_server& operator=(const redis_server&) = delete;
    ~redis_server();

    /// redis:// or rediss:// if it listens on a port, else unix://; with the password, if any.
    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::string socket_url() const;
    [[nodiscard]] std::uint16_t port() const noexcept { return number_of(port_); }
    /// Where nodes of a cluster talk to each other.
    [[nodiscard]] std::uint16_t bus_port() const noexcept { return number_of(bus_port_); }
    [[nodiscard]] std::string socket_path() const { return (directory_ / "redis.sock").string(); }
    /// The trust root of a TLS server (PEM).
    /// Of its certificate, which is also the root that it trusts: a client may show the same.
    [[nodiscard]] std::string key_file() const { return (directory_ / "key.pem").string(); }
    [[nodiscard]] std::string ca_file() const { return (directory_ / "certificate.pem").string(); }
    [[nodiscard]] std::string log() const;

    /// As a crash: SIGKILL, and gone when this returns.
    void kill() noexcept;
    /// Starts it again on the same port, socket and data, and waits until it answers.
    void restart();
    /// Stops it from running (SIGSTOP): connections stay open, nothing is answered.
    void pause() const noexcept;
    void resume() const noexcept;

    /// Runs one command, over a connection of its own, and returns the reply as redis-cli prints it
    /// to a pipe: elements of an array on lines of their own, nil as an empty line.
    std::string cli(const std::vector<std::string>& command) const;

private:
    static std::uint16_t number_of(const std::optional<reserved_port>& port) noexcept {
        return port ? port->number() : std::uint16_t{0};
    }
    void start();
    void wait_until_it_answers(std::chrono::steady_clock::time_point deadline);
    [[nodiscard]] std::vector<std::string> command_line() const;

    redis_server_options options_;
    std::filesystem::path directory_;
    std::optional<reserved_port> port_;  // As long as this lives: it may be killed and started again.
    std::optional<reserved_port> bus_port_;
    pid_t process_ = -1;
};

}  // namespace tocsin::testing
