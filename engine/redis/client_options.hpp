#pragma once

#include <chrono>
#include <cstddef>

namespace tocsin::redis {

struct client_options {
    /// For one attempt: name resolution, TCP, TLS, AUTH, SELECT.
    std::chrono::milliseconds connect_timeout{5'000};
    /// How long Redis may be silent while the oldest written request waits for a reply; BLOCK requests
    /// add their own time. Also how long a request may wait to be written.
    std::chrono::milliseconds reply_timeout{15'000};
    /// Bytes of requests that may wait to be written, per node; more are refused with
    /// redis_errc::overloaded.
    std::size_t max_queued_bytes = std::size_t{64} * 1024 * 1024;
};

}  // namespace tocsin::redis
