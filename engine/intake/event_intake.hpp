#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/intake/dead_letters.hpp"
#include "engine/intake/intake_stream.hpp"
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
class event_intake final : public entry_handler {
public:
    event_intake(
        ledger& book, device_store& store, dead_letters& letters, const event_preparer& preparer,
        const time_source& time, logger& log, metrics_shard& metrics,
        std::function<void(std::shared_ptr<active_event>)> planned)
        : ledger_(book),
          letters_(letters),
          preparer_(preparer),
          planner_(store, book, preparer, time),
          time_(time),
          log_(log),
          metrics_(metrics),
          planned_(std::move(planned)) {}

    [[nodiscard]] std::string_view stream() const noexcept override { return "events"; }
    boost::asio::awaitable<result<>> handle(std::vector<redis::stream_entry>& entries) override;

    /// Called for a critical event as soon as it is read, before its devices are looked for.
    void on_alert(std::function<void(const active_event&)> tell) { alert_ = std::move(tell); }

    /// Plans the events whose send_at has come.
    boost::asio::awaitable<result<>> plan_due();

    /// When the stream last answered; zero before. For /livez.
    [[nodiscard]] time_point last_answer() const noexcept { return last_answer_; }

private:
    boost::asio::awaitable<result<>> plan_one_due(std::string id);
    boost::asio::awaitable<result<>> handle_event(std::string entry, std::string document);
    /// Plans an event that nothing is wrong with, or writes down that it is to be planned later.
    boost::asio::awaitable<result<>> take_up(
        std::shared_ptr<active_event> event, std::string entry, std::string document, bool later);
    boost::asio::awaitable<result<>> refuse(std::string entry, refusal why, std::string document);
    boost::asio::awaitable<result<>> plan_scheduled(std::string id);
    boost::asio::awaitable<result<>> plan_now(std::shared_ptr<active_event> event, ledger_fields fields);
    /// What is known of the events that this one ends: nothing of any of them, or whether any is under way.
    boost::asio::awaitable<result<ledger::knowledge>> known_of_ended(
        std::shared_ptr<const active_event> event);
    /// Ends a scheduled event that cannot be planned.
    boost::asio::awaitable<result<>> write_off(std::string id, refusal why, std::string document);

    ledger& ledger_;
    dead_letters& letters_;
    const event_preparer& preparer_;
    planner planner_;
    const time_source& time_;
    logger& log_;
    metrics_shard& metrics_;
    std::function<void(std::shared_ptr<active_event>)> planned_;
    std::function<void(const active_event&)> alert_ = [](const active_event&) {};
    time_point last_answer_{};
};

}  // namespace tocsin
