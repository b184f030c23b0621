#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/channel_gate.hpp"
#include "engine/delivery/lane.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/delivery/shard_queue.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/runtime/timer.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tocsin {

/// A lane with everything that makes it go: the shards it is fed from, the channel it sends through, and
/// the timers of the coroutines that look after it. Belongs to one worker.
struct lane_runner {
    /// Where the lane lives: what its channels are given, too.
    struct surroundings {
        boost::asio::any_io_executor executor;
        std::size_t thread = 0;
        const time_source& time;
        logger& log;
        metrics_shard& metrics;
    };

    lane_runner(
        surroundings where, target which, const lane_settings& how, std::uint64_t seed, lane_events events);

    struct opened {
        std::unique_ptr<channel_gate> gate;
        std::unique_ptr<channel> out;  // Destroyed before the gate that it takes from.
    };

    void open_channel(std::shared_ptr<provider> to);
    /// The channel that was in use takes nothing more.
    void retire_channel();
    /// Ends the retired channels that have had their last answers.
    void drop_retired();
    void wake() const;
    /// More work is on its way: a time to connect.
    void prepare() const;

    /// Tells the lane what the provider, its connections and this thread (`thread_busy`) let it do.
    void observe(bool thread_busy, time_point now_is);
    void count_connections() const;

    surroundings here;
    lane line;
    opened now;                    // Destroyed before the line.
    std::vector<opened> retiring;  // They wait for their last answers.
    std::shared_ptr<provider> through;
    shard_queue shards;
    /// Pages that are open, of critical events (true) and of all others, and what is late of settled ones.
    struct load {
        std::size_t pages = 0;
        std::size_t late_pages = 0;
        std::size_t late_devices = 0;
        /// In pages: what an engine that dies now leaves in doubt.
        [[nodiscard]] std::size_t in_doubt() const noexcept {
            return pages + (late_devices + devices_per_page - 1) / devices_per_page;
        }
    };
    [[nodiscard]] load& load_of(const active_event& event) noexcept {
        return loads[event.content.priority == priority::critical ? 1 : 0];
    }
    std::array<load, 2> loads;  ///< Of critical events: the second.
    timer changed;
    timer look;
    bool retired = false;
};

}  // namespace tocsin
