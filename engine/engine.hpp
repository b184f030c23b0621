#pragma once

#include "engine/audience/territories.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/delivery/target_sender.hpp"
#include "engine/ops/health.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/ops/settings.hpp"
#include "engine/platform/platform_traits.hpp"
#include "engine/redis/address.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <vector>

namespace tocsin {

/// The engine: its threads, and on each of them a worker; on the first also what reads the streams
/// and finds work. Share-nothing: threads meet only when a shard is handed over.
class engine {
public:
    /// `places`, `time`, `log`, `numbers` and `checks` must outlive the engine.
    engine(
        settings how, redis::address where, const territories& places, platform_set platforms,
        const time_source& time, logger& log, metrics& numbers, health& checks);
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine();

    /// The loops of its threads, in order: what providers open their channels on. Running from the
    /// construction of the engine to its stop().
    [[nodiscard]] std::vector<boost::asio::any_io_executor> executors() const;

    /// What to send through from now on; before start(), or at a reload.
    void set_providers(const settings& apps, std::vector<std::shared_ptr<provider>> providers);

    /// Begins to read the streams.
    void start();

    /// Reads nothing more, settles what is in flight for at most the configured time, hands the rest
    /// back, and ends the threads. Blocks; call it from a thread that is not the engine's. Idempotent.
    void stop();

    /// Every thread's lanes, as of now. Blocks for the threads' answers.
    [[nodiscard]] std::vector<lane_status> lanes() const;

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace tocsin
