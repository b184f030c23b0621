#pragma once

#include "engine/audience/territories.hpp"
#include "engine/live/event_pace.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/report.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace tocsin {

/// What of an event never changes once it is planned, and what a person recognises it by.
struct event_heading {
    std::string title;  ///< Of the notification, else the beginning of its body; empty for a silent push.
    std::string category;
    std::string priority;
    std::string mode;
    std::vector<std::string> audience;  ///< Its selectors, the first twenty; tokens are shortened.
    std::size_t selectors = 0;          ///< How many there are.
    std::vector<std::string> targets;   ///< "<app>/<platform>"
};

/// From an event's ledger: its document and its targets. What cannot be read stays empty.
[[nodiscard]] event_heading read_heading(const ledger_fields& fields);

/// The fields of a ledger that change while the event runs, for `targets`: few enough to be asked for every
/// second, also of an event with 35,000 communes.
[[nodiscard]] std::vector<std::string> moving_fields(const std::vector<std::string>& targets);

/// An event as a line of a list. Numbers as in its result; beside them "title", "priority", "category",
/// "mode", "audience", "selectors", "progress" (0 to 1), "rate" (accepted per second), "eta_seconds" (null
/// while nothing moves or when it has ended) and "deferred" (what quiet hours hold back at `now`).
[[nodiscard]] boost::json::object summary_of(
    const event_heading& heading, const event_report& report, const event_pace* pace, wall_time now);

/// The same from a result document, for an event that has ended.
[[nodiscard]] boost::json::object summary_of(const event_heading& heading, const boost::json::object& result);

/// A result document, whole, with what only a page wants: the heading, "curve" (pairs of milliseconds since
/// the event was read and devices accepted until then), and "departments" (by code: "accepted", "population",
/// "reach" of those communes that the event is for). `with_communes`: all of them, named; else without.
[[nodiscard]] boost::json::object event_detail(
    const event_heading& heading, const event_report& report, const territories& places,
    const boost::json::value* result, wall_time now, bool with_communes = true);

}  // namespace tocsin
