#pragma once

#include "tests/support/redis_server.hpp"

#include <string>

namespace tocsin::testing {

/// One replica and one Sentinel beside a master that runs already; all agree when the constructor returns.
///
/// The Sentinel takes the master for dead after 0.3 s of silence. What fails throws std::runtime_error.
class redis_failover {
public:
    /// `master` listens on a port and outlives this.
    explicit redis_failover(redis_server& master);

    /// redis+sentinel://…
    [[nodiscard]] std::string url() const;
    /// The server that takes writes at the moment.
    [[nodiscard]] const redis_server& master() const noexcept { return *master_; }
    /// Until the replica has all that the master had when this was called.
    void wait_until_replicated() const;
    /// From now on the replica hears nothing of what the master does, nor will it when it has taken over.
    void cut_off_replica() const;
    [[nodiscard]] const redis_server& replica() const noexcept { return replica_; }
    /// SIGKILL to the master; the replica has taken over when this returns.
    void kill_master();

private:
    redis_server& first_;
    redis_server replica_;
    redis_server sentinel_;
    const redis_server* master_;
};

}  // namespace tocsin::testing
