#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/intake/dead_letters.hpp"
#include "engine/intake/stream_consumer.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/active_event.hpp"
#include "engine/plan/event_preparer.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/planner.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>

namespace tocsin {

/// Reads the `events` stream: each entry becomes a planned event, a scheduled one, a duplicate or a
/// dead letter, and is acknowledged with the very step that makes it one.
class event_intake {
public:
    event_intake(
        stream_consumer& stream, ledger& book, device_store& store, dead_letters& letters,
        const event_preparer& preparer, const time_source& time, logger& log, metrics_shard& metrics,
        std::function<void(std::shared_ptr<active_event>)> planned)
        : stream_(stream),
          ledger_(book),
          letters_(letters),
          preparer_(preparer),
          planner_(store, preparer, time),
          time_(time),
          log_(log),
          metrics_(metrics),
          planned_(std::move(planned)) {}

    /// Reads until stop(). Errors of Redis are waited out here.
    boost::asio::awaitable<void> run();
    void stop() noexcept { stopping_ = true; }

    /// Plans the events whose send_at has come.
    boost::asio::awaitable<result<>> plan_due();

    /// When the stream last answered; zero before. For /livez.
    [[nodiscard]] time_point last_answer() const noexcept { return last_answer_; }

private:
    boost::asio::awaitable<result<>> handle(std::string entry, std::string document);
    boost::asio::awaitable<result<>> refuse(std::string entry, refusal why, std::string document);
    boost::asio::awaitable<result<>> plan_scheduled(std::string id);
    /// Ends a scheduled event that cannot be planned.
    boost::asio::awaitable<result<>> write_off(std::string id, refusal why, std::string document);

    stream_consumer& stream_;
    ledger& ledger_;
    dead_letters& letters_;
    const event_preparer& preparer_;
    planner planner_;
    const time_source& time_;
    logger& log_;
    metrics_shard& metrics_;
    std::function<void(std::shared_ptr<active_event>)> planned_;
    time_point last_answer_{};
    bool stopping_ = false;
};

/// What a dead letter keeps of an entry without the expected field: its fields as JSON.
[[nodiscard]] std::string fields_as_json(const redis::stream_entry& entry);

}  // namespace tocsin
