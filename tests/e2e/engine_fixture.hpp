#pragma once

#include "tests/e2e/tocsin_process.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/reserved_port.hpp"
#include "tools/simulator/simulator.hpp"
#include "tools/tocsin/child_process.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::testing {

/// Looks at `condition` until it holds; false if it never does. The time limit only ends a test that
/// hangs: sanitizers on a busy machine are slow.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(90);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
}

/// The whole, as an operator has it: a real Redis, the simulator over real TLS and HTTP/2, and the
/// engine as a process of its own. What a test does goes through Redis and the command line alone.
class engine_fixture : public ::testing::Test {
protected:
    /// Redis always listens on a port as well.
    explicit engine_fixture(redis_server_options how = {});
    ~engine_fixture() override;

    /// Called by tests that want another simulator than the default before it is started.
    sim::simulator_options options;

    void start_simulator();
    void start_engine();
    /// Ends the engine as SIGTERM does and returns its exit status.
    int stop_engine();

    finished_process tocsin(std::vector<std::string> arguments, const std::string& input = {});
    /// What the engine's checks say, ready or not.
    [[nodiscard]] std::string health() const;
    [[nodiscard]] bool ready() const;
    /// Registers `lines` of registration documents with `devices import`.
    void import(const std::string& lines);
    /// XADD to the events stream; the entry's id.
    std::string publish(const std::string& document);
    /// The result of an event, as soon as it is there.
    boost::json::object wait_for_result(const std::string& event);
    /// All entries of a stream's one field, oldest first.
    std::vector<std::string> entries(const std::string& stream);
    /// Waits until `stream` has `count` entries.
    void wait_for_length(const std::string& stream, std::size_t count);

    /// One command, the key in second place, as redis_server::cli().
    virtual std::string ask_redis(const std::vector<std::string>& command) { return redis.cli(command); }

    /// Requests that the simulator's endpoint has seen so far.
    std::uint64_t requests(const std::string& endpoint) const;

    redis_server redis;
    std::filesystem::path directory;
    std::unique_ptr<sim::simulator> providers;
    std::optional<cli::child_process> engine;

private:
    std::array<reserved_port, 7> ports_;  // The simulator's six and the admin server's.
};

/// An APNs token (hex) and an FCM token that belong to device number `n` alone.
[[nodiscard]] std::string apns_token(std::size_t n);
[[nodiscard]] std::string fcm_token(std::size_t n);
/// A registration document in one line, with its newline.
[[nodiscard]] std::string registration_line(
    const std::string& app, const std::string& platform, const std::string& token,
    const std::vector<std::string>& follow);

/// Fails the test unless the outcomes of a result add up to what it targeted.
void expect_sums_agree(const boost::json::object& result);
[[nodiscard]] std::int64_t number(const boost::json::object& from, const std::string& name);

}  // namespace tocsin::testing
