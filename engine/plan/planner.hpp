#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/core/clock.hpp"
#include "engine/plan/active_event.hpp"
#include "engine/plan/event_preparer.hpp"
#include "engine/plan/ledger.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace tocsin {

/// Turns an accepted event into shards: finds the rosters of its audience and cuts them up.
class planner {
public:
    planner(device_store& store, ledger& book, const event_preparer& preparer, const time_source& time)
        : store_(store), ledger_(book), preparer_(preparer), time_(time) {}

    /// `fields` go into the ledger with the shards.
    boost::asio::awaitable<result<event_plan>> make(
        std::shared_ptr<const active_event> event, std::string entry, ledger_fields fields);

private:
    boost::asio::awaitable<result<device_store::roster_list>> stored_rosters_of(
        const active_event& event, target which);
    boost::asio::awaitable<result<device_store::roster_list>> rosters_of(
        const active_event& event, target which);
    boost::asio::awaitable<result<std::vector<listed_device>>> named_devices_of(
        const active_event& event, target which, std::size_t& damaged);

    /// Everybody that the events which this one ends were sent to, each once.
    boost::asio::awaitable<result<std::vector<hashed_device>>> reached_of(
        const active_event& event, target which, std::size_t& damaged);

    device_store& store_;
    ledger& ledger_;
    const event_preparer& preparer_;
    const time_source& time_;
};

}  // namespace tocsin
