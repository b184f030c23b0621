#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/active_event.hpp"
#include "engine/plan/dead_letters.hpp"
#include "engine/plan/event_preparer.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/planner.hpp"
#include "engine/runtime/wait_queue.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <set>
#include <string>

namespace tocsin {

/// What intake tells the rest of the engine. Called on its thread.
class intake_listener {
public:
    /// A critical event was read; its devices are yet to be looked for.
    virtual void alert_read(const active_event& event) = 0;
    /// This engine has planned an event, and nobody else has begun it.
    virtual void event_planned(std::shared_ptr<active_event> event) = 0;

protected:
    ~intake_listener() = default;
};

/// Plans the events that stand on the schedule, several at a time: those whose send_at has come, those whose
/// predecessor has ended, and those that would hold up the reading of the stream because finding their
/// devices takes long. Planning a critical event waits for no other.
///
/// What is on the schedule is durable: an engine that dies in the middle leaves it to the others.
class planning_desk {
public:
    /// How many events that are not critical are planned at the same time.
    static constexpr std::size_t most_others = 4;
    /// Of the schedule, how many events are read, wait or are planned at the same time.
    static constexpr std::size_t most_under_way = 4'000;

    planning_desk(
        boost::asio::any_io_executor executor, ledger& book, device_store& store, dead_letters& letters,
        const event_preparer& preparer, const time_source& time, logger& log, metrics_shard& metrics,
        intake_listener& listener)
        : executor_(executor),
          ledger_(book),
          letters_(letters),
          preparer_(preparer),
          planner_(store, book, preparer, time),
          time_(time),
          log_(log),
          metrics_(metrics),
          listener_(listener),
          room_(executor) {}

    /// Begins with what is due. An error: Redis'.
    boost::asio::awaitable<result<>> look();
    /// Begins with one event that was just put on the schedule.
    void begin(std::string id);
    /// Events that are planned at this moment, or wait for their turn to be.
    [[nodiscard]] std::size_t under_way() const noexcept { return under_way_.size(); }
    /// Nothing new is begun.
    void stop() noexcept { stopping_ = true; }

    /// What is known of the events that one ends: nothing of any of them, or whether any is under way.
    boost::asio::awaitable<result<ledger::knowledge>> known_of_ended(
        std::shared_ptr<const active_event> event);

private:
    /// Of events that were begun long ago: Redis has forgotten their entry before they were on a list.
    boost::asio::awaitable<result<>> resume_begun();
    boost::asio::awaitable<void> plan(std::string id);
    boost::asio::awaitable<result<>> plan_scheduled(std::string id);
    /// At once if it is critical; else when it has a place.
    boost::asio::awaitable<result<>> plan_in_turn(std::shared_ptr<active_event> event, ledger_fields fields);
    boost::asio::awaitable<result<>> plan_now(std::shared_ptr<active_event> event, ledger_fields fields);
    /// Looks at it again later.
    boost::asio::awaitable<result<>> postpone(std::string id, std::chrono::milliseconds by);
    /// Of an event that ends others, and nobody has heard of any of them.
    boost::asio::awaitable<result<>> wait_or_refuse(
        std::shared_ptr<active_event> event, ledger_fields fields);
    /// Ends a scheduled event that cannot be planned.
    boost::asio::awaitable<result<>> write_off(std::string id, refusal why, std::string document);

    boost::asio::any_io_executor executor_;
    ledger& ledger_;
    dead_letters& letters_;
    const event_preparer& preparer_;
    planner planner_;
    const time_source& time_;
    logger& log_;
    metrics_shard& metrics_;
    intake_listener& listener_;
    wait_queue room_;                  ///< For one more of the others.
    std::set<std::string> under_way_;  ///< By id.
    std::size_t others_ = 0;           ///< Planned at this moment, and not critical.
    std::size_t waiting_ = 0;          ///< For one of their places.
    bool stopping_ = false;
};

/// Where Redis should hold the progress of an event stands something else.
[[nodiscard]] refusal not_a_ledger(const std::string& event);

/// A target without a device has no shards, and nobody is to look for any.
void keep_planned_targets(active_event& event, const event_plan& plan);

void tell_planned(const active_event& event, logger& log);

}  // namespace tocsin
