#pragma once

#include "engine/intake/intake_stream.hpp"
#include "engine/intake/receipt_intake.hpp"
#include "engine/intake/stream_consumer.hpp"
#include "engine/ops/settings.hpp"
#include "engine/plan/reach_desk.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <string>

namespace tocsin {

/// What an engine does for receipts, on its first thread: takes in what apps report, and ends what is over.
class engine_receipts {
public:
    static constexpr std::size_t entries_at_once = 500;

    /// `asking` is shared with others, `reading` is held up by this one's reads.
    engine_receipts(
        redis::client& asking, redis::client& reading, const keyspace& keys, dead_letters& letters,
        const event_preparer& preparer, const engine_settings& how, const time_source& time, logger& log,
        metrics_shard& numbers)
        : consumer_(
              reading,
              {.stream = keys.receipts(),
               .group = std::string(keyspace::group),
               .consumer = how.instance,
               .count = entries_at_once,
               .takeover = how.lease},
              time),
          intake_(asking, keys, letters, preparer, time, log, numbers),
          stream_(consumer_, intake_, letters, keys.receipts(), time, log),
          desk_(asking, keys, preparer.places(), {how.results_max_length, how.event_retention}, time, log),
          log_(log) {}

    /// Publishes what is due. Once a second.
    boost::asio::awaitable<void> look() {
        const auto published = co_await desk_.publish_due();
        if (published.has_error()) {
            log_.warning("reach.interrupted", {{"error", published.error().message()}});
        }
    }

    /// Reads the stream until stop().
    boost::asio::awaitable<void> read() { return stream_.run(); }
    void stop() noexcept { stream_.stop(); }

private:
    stream_consumer consumer_;
    receipt_intake intake_;
    intake_stream stream_;
    reach_desk desk_;
    logger& log_;
};

}  // namespace tocsin
