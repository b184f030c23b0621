#pragma once

#include "tools/simulator/answer_clock.hpp"
#include "tools/simulator/behaviour.hpp"
#include "tools/simulator/endpoint.hpp"
#include "tools/simulator/h2_connection.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstdint>
#include <latch>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace tocsin::sim {

/// One thread, its event loop, and the connections that it serves.
class worker {
public:
    /// `shared` outlives the worker; `number` makes its chance its own.
    worker(shared_state& shared, std::shared_ptr<const behaviour> initial, std::uint64_t number);
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;
    ~worker() { stop(); }

    void start();
    /// Cuts every connection and joins. Idempotent.
    void stop() noexcept;

    /// Serves a connection that was accepted on executor(). Callable from any thread.
    void adopt(provider plays, boost::asio::ip::tcp::socket socket);
    /// Takes the behaviour over and performs the actions, then counts `done` down. Callable from any
    /// thread but the worker's.
    void apply(std::shared_ptr<const behaviour> next, const std::vector<action>& now, std::latch& done);

    [[nodiscard]] boost::asio::any_io_executor executor() { return context_.get_executor(); }
    [[nodiscard]] const provider_counters& counters(provider of) const noexcept {
        return endpoints_[static_cast<std::size_t>(of)].counters;
    }

private:
    using work_guard = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;

    void serve(provider plays, boost::asio::ip::tcp::socket socket);
    [[nodiscard]] std::vector<std::shared_ptr<h2_connection>> open_connections() const;

    std::shared_ptr<const behaviour> current_;
    request_pool pool_;
    std::unique_ptr<scratch_space> scratch_;
    std::array<endpoint, provider_count> endpoints_;
    std::uint64_t chance_;
    boost::unordered_flat_map<h2_connection*, std::shared_ptr<h2_connection>> connections_;

    // Destroyed in reverse: the thread is joined before the context that it runs goes away.
    boost::asio::io_context context_;
    answer_clock beat_;
    std::optional<work_guard> keep_alive_;
    std::jthread thread_;
};

}  // namespace tocsin::sim
