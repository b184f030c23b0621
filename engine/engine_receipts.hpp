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
#include <utility>

namespace tocsin {

/// What an engine does for receipts, on its first thread: takes in what apps report, and ends what is over.
struct engine_receipts {
    static constexpr std::size_t entries_at_once = 1'000;

    /// `asking` is shared with others, `reading` is held up by this one's reads.
    engine_receipts(
        redis::client& asking, redis::client& reading, const keyspace& keys, dead_letters& letters,
        const event_preparer& preparer, const engine_settings& how, const time_source& time, logger& log,
        metrics_shard& numbers)
        : consumer(
              reading,
              {.stream = keys.receipts(),
               .group = std::string(keyspace::group),
               .consumer = how.instance,
               .count = entries_at_once,
               .takeover = how.lease},
              time),
          intake(asking, keys, letters, preparer, time, log, numbers),
          stream(consumer, intake, letters, keys.receipts(), time, log),
          desk(asking, keys, preparer.places(), {how.results_max_length, how.event_retention}, time, log),
          log(log) {}

    /// Publishes what is due. Once a second.
    boost::asio::awaitable<void> look() {
        const auto published = co_await desk.publish_due();
        if (published.has_error()) {
            log.warning("reach.interrupted", {{"error", published.error().message()}});
        }
    }

    stream_consumer consumer;
    receipt_intake intake;
    intake_stream stream;
    reach_desk desk;
    logger& log;
};

}  // namespace tocsin
