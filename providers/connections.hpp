#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/net/tls_context.hpp"
#include "providers/common/https_url.hpp"
#include "providers/http2/pool.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace tocsin {

/// What a pool is for: apps that ask for the same get the same.
struct connection_identity {
    https_url where;
    /// Whose connections these are. APNs binds a connection to a team and its key, so apps share one
    /// only under one key; FCM authenticates each request, so there all apps share.
    std::string credential;
    std::shared_ptr<net::tls_context> tls;
};

/// The connections of all providers: on each thread, one pool for each identity, made when the
/// first app asks for it and gone with the last.
class connection_registry {
public:
    connection_registry(std::size_t threads, const time_source& time, logger& log, std::uint64_t random_seed);

    /// Called on `thread` alone, whose executor this is. The policy counts for who comes first.
    [[nodiscard]] std::shared_ptr<http2::pool> get(
        std::size_t thread, const boost::asio::any_io_executor& executor, const connection_identity& identity,
        const http2::pool_policy& policy);

private:
    // On cache lines of its own: each thread changes its slot without a lock.
    struct alignas(64) slot {
        std::map<std::string, std::weak_ptr<http2::pool>, std::less<>> pools;
        std::map<std::string, std::weak_ptr<http2::session_ticket>> tickets;  ///< By host and TLS context.
        // Of all of them: http2::thread_commons.
        std::weak_ptr<http2::turns> rounds;
        std::weak_ptr<http2::thread_buffers> buffers;
        std::weak_ptr<http2::dial_gate> dials;
        std::mt19937_64 random;
    };

    [[nodiscard]] std::shared_ptr<peer_clock> clock_of(const std::string& host);

    const time_source& time_;
    logger& log_;
    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<peer_clock>> clocks_;  // By host; asked for when a pool is made.
    std::vector<slot> threads_;
};

}  // namespace tocsin
