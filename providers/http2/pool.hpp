#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/net/tls_context.hpp"
#include "providers/common/peer_clock.hpp"
#include "providers/http2/client.hpp"
#include "providers/http2/dial_gate.hpp"
#include "providers/http2/session_ticket.hpp"
#include "providers/http2/thread_buffers.hpp"
#include "providers/http2/turns.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace tocsin::http2 {

/// Where a pool connects to.
struct endpoint {
    std::string host;  ///< As in the URL: the SNI name, the name that is verified, and :authority.
    std::uint16_t port = 443;
    /// What was said of the host's clock, by all threads.
    std::shared_ptr<peer_clock> its_clock = std::make_shared<peer_clock>();
    /// What it gave to the pools of a thread that dial it under the same TLS context.
    std::shared_ptr<session_ticket> its_ticket = std::make_shared<session_ticket>();
};

/// How a provider wants to be treated; the values are in each provider's own source.
struct pool_policy {
    std::size_t max_connections = 4;
    /// Streams a connection may have open before the peer's SETTINGS say otherwise, and never more
    /// than the peer allows.
    std::size_t stream_cap = 1000;
    /// Only one request on a new connection until it was answered (APNs with provider tokens).
    bool probe_first = false;
    /// Connect to no host of which any address is private, loopback or otherwise not in the public Internet:
    /// for hosts that strangers name.
    bool public_addresses_only = false;
    /// PING a connection that is silent while streams are open.
    std::chrono::milliseconds silence_before_ping{10'000};
    std::chrono::milliseconds ping_timeout{5'000};
    /// An idle connection is not kept alive: providers count such PINGs. Before it is used after so long a
    /// silence it is asked once, since networks forget connections without a word; one that does not answer
    /// in time is closed, with the others that are as silent, and a new one is opened.
    std::chrono::milliseconds silence_before_probe{5'000};
    std::chrono::milliseconds probe_timeout{750};
    std::chrono::milliseconds dial_timeout{10'000};
    std::chrono::milliseconds settings_timeout{5'000};
    std::chrono::milliseconds request_timeout{20'000};
    std::chrono::milliseconds drain_timeout{20'000};
    /// A connection without requests for this long is closed.
    std::chrono::milliseconds idle_timeout{600'000};
    /// Retired after this long, give or take a tenth; 0: never.
    std::chrono::milliseconds max_age{0};
};

struct pool_statistics {
    std::size_t connecting = 0;
    std::size_t ready = 0;
    std::size_t draining = 0;
    std::size_t in_flight = 0;
    std::size_t saturated = 0;     ///< Of `ready`: at their limit of streams, or without send window.
    std::size_t client_limit = 0;  ///< Requests that one client may have open at once.
    std::uint64_t dials = 0;       ///< That were begun.
    std::uint64_t dials_failed = 0;
    std::string last_dial_error;  ///< A sentence; empty after a success.
};

/// What all pools of a thread have in common.
struct thread_commons {
    std::shared_ptr<turns> rounds;
    std::shared_ptr<dial_gate> dials;
    std::shared_ptr<thread_buffers> buffers = std::make_shared<thread_buffers>();
};

/// The connections to one host under one credential, on one thread.
///
/// Opens nothing until a client has something to send or says that it will have: then as many as that
/// can use, at once. For clients who do not say, it grows while every connection is at its limit. Prefers
/// the connection with most free credit, and replaces what ends. All calls come from the executor's thread.
class pool {
public:
    pool(
        boost::asio::any_io_executor executor, endpoint where, std::shared_ptr<net::tls_context> tls,
        const pool_policy& policy, thread_commons shared, const time_source& time, logger& log,
        std::uint64_t random_seed);
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;
    ~pool();

    /// `who` must stay until detach(). Clients take turns.
    void attach(client& who);
    /// Requests of `who` that are in flight are forgotten: their answers go nowhere.
    void detach(client& who);
    /// `who` may have something to send.
    void wake(client& who);

    /// The backlog of a client may have grown, though nothing can be handed out yet: a time to connect.
    void prepare();

    /// Closes every connection now; what was written and unanswered fails as unknown, what was
    /// not written as not_processed. Idempotent.
    void close();

    [[nodiscard]] pool_statistics statistics() const;

private:
    class implementation;
    std::shared_ptr<implementation> implementation_;
};

}  // namespace tocsin::http2
