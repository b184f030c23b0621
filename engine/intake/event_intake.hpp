#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/intake/intake_stream.hpp"
#include "engine/intake/planning_desk.hpp"
#include "engine/intake/unread_alerts.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/active_event.hpp"
#include "engine/plan/dead_letters.hpp"
#include "engine/plan/event_preparer.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/planner.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>

namespace tocsin {

enum class planning_moment : std::uint8_t {
    now,     ///< Before anything else is read.
    beside,  ///< At once, while others are read.
    later,
};
/// When an event is planned that was read at `now`; `ends` is what is known of the events that it ends.
[[nodiscard]] planning_moment planning_moment_of(
    const active_event& event, ledger::knowledge ends, wall_time now) noexcept;

/// Reads the `events` stream: each entry becomes a planned event, a scheduled one, a duplicate or a
/// dead letter, and is acknowledged with the very step that makes it one. What takes long to plan is planned
/// beside the reading, so that an alert behind it need not wait; while many others are unread, alerts among
/// them are looked for.
class event_intake final : public entry_handler {
public:
    event_intake(
        ledger& book, device_store& store, dead_letters& letters, const event_preparer& preparer,
        planning_desk& desk, const time_source& time, logger& log, metrics_shard& metrics,
        intake_listener& listener)
        : ledger_(book),
          letters_(letters),
          preparer_(preparer),
          planner_(store, book, preparer, time),
          desk_(desk),
          time_(time),
          log_(log),
          metrics_(metrics),
          listener_(listener),
          ahead_(book.connection(), book.keys()) {}

    [[nodiscard]] const incoming_stream& stream() const noexcept override { return event_stream; }
    /// What they ask for may take long: those behind them are another engine's.
    [[nodiscard]] std::size_t batch_size() const noexcept override { return 16; }
    boost::asio::awaitable<result<>> handle(std::vector<redis::stream_entry>& entries) override;

private:
    /// Whether an entry is read in its turn, or found before that.
    enum class reading : std::uint8_t { in_turn, ahead };

    boost::asio::awaitable<void> look_ahead();
    boost::asio::awaitable<result<>> handle_event(std::string entry, std::string document);
    /// Plans an event that nothing is wrong with, or writes down that it is to be planned.
    boost::asio::awaitable<result<>> take_up(
        std::shared_ptr<active_event> event, std::string entry, std::string document, planning_moment when,
        reading how);
    boost::asio::awaitable<result<>> put_on_schedule(
        std::shared_ptr<active_event> event, std::string entry, planning_moment when);
    /// Ends an event that was cancelled before it was taken up.
    boost::asio::awaitable<result<>> end_unsent(std::string entry, std::string document);
    boost::asio::awaitable<result<>> refuse(std::string entry, refusal why, std::string document);

    ledger& ledger_;
    dead_letters& letters_;
    const event_preparer& preparer_;
    planner planner_;
    planning_desk& desk_;
    const time_source& time_;
    logger& log_;
    metrics_shard& metrics_;
    intake_listener& listener_;
    unread_alerts ahead_;
    time_point next_look_{};
};

}  // namespace tocsin
