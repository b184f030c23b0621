#pragma once

#include "tests/e2e/engine_fixture.hpp"
#include "tests/support/reserved_port.hpp"
#include "tools/tocsin/child_process.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

namespace tocsin::testing {

/// Looks at `condition` until it holds; false once `patience` is over.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition, std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        usleep(2'000);
    }
    return true;
}

/// Devices of one app in one commune, one in four on APNs. Their numbers are theirs alone in a test.
struct crowd {
    std::string app = "mairies";
    std::string commune = "21231";
    std::size_t first = 0;
    std::size_t count = 0;

    [[nodiscard]] static bool on_apns(std::size_t n) noexcept { return n % 4 == 0; }
    [[nodiscard]] static std::string token(std::size_t n);
};

/// What the simulator has counted for a crowd, whatever the engine says.
struct reception {
    std::uint64_t missing = 0;   ///< Devices that accepted nothing.
    std::uint64_t requests = 0;  ///< That named one of the devices.
    std::uint64_t accepted = 0;
    std::uint64_t repeats = 0;  ///< Acceptances beyond each device's first.
};

/// Several engines as processes of their own, on one Redis and one simulator, that can be ended without
/// warning and started again.
class fault_fixture : public engine_fixture {
protected:
    using engine_fixture::engine_fixture;
    ~fault_fixture() override;

    struct running_engine {
        std::string instance;
        reserved_port port;
        std::string admin;  ///< Address of its admin server.
        std::optional<cli::child_process> process;
    };

    // Of engines that are launched from now on. Small, so that bounds are worth checking and a silent engine
    // is noticed soon.
    std::size_t threads = 1;
    std::size_t pages_in_flight = 2;
    std::chrono::milliseconds lease{2'000};
    std::chrono::milliseconds shutdown_timeout{25'000};
    std::chrono::milliseconds replica_wait{100};

    /// Starts an engine, without waiting for it to be ready. Valid until the test ends.
    running_engine& launch(const std::string& instance);
    /// What the newest engine of that name has logged so far.
    [[nodiscard]] std::string log_of(const std::string& instance) const;
    static void wait_until_ready(const running_engine& which);
    /// SIGKILL, and gone when this returns.
    static void kill_hard(running_engine& which);
    /// The same instance again, as a service manager does.
    void launch_again(running_engine& which);
    /// SIGTERM; the exit status.
    static int stop(running_engine& which);
    /// What its admin server says of its lane; empty if it has none or does not answer.
    static boost::json::object lane(
        const running_engine& which, const std::string& app, const std::string& platform);

    void register_crowds(const std::vector<crowd>& crowds);
    [[nodiscard]] reception look_at(const crowd& whom) const;
    /// Of both providers, in all.
    [[nodiscard]] std::uint64_t all_requests() const;
    void wait_for_requests(std::uint64_t count) const;
    std::string publish_to(const crowd& whom, const std::string& more = {});
    void change_providers(const std::string& document);

    /// Everybody of `whom` was sent to and counted once, and the engine owned up to every repeat.
    void expect_everybody_accepted(const boost::json::object& result, const crowd& whom) const;
    /// How many possible duplicates docs/explanation/guarantees.md allows for that many deaths of engines, in
    /// all events of one app together.
    [[nodiscard]] std::uint64_t bound_of_deaths(std::uint64_t deaths, std::uint64_t devices_a_page) const;
    /// Devices of the biggest page that is planned for a crowd: some 1,000, depending on how many of a
    /// commune follow it.
    [[nodiscard]] static std::uint64_t biggest_page(const crowd& whom, std::size_t population);
    /// The same, where pages of retries (1,000 at most) may be under way as well.
    [[nodiscard]] static std::uint64_t biggest_page_of_all(const crowd& whom, std::size_t population);

private:
    void start_process(running_engine& which);

    std::deque<running_engine> engines_;
};

}  // namespace tocsin::testing
