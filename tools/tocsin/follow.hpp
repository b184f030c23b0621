#pragma once

#include "engine/plan/report.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace tocsin::cli {

/// Follows an event to its result: a progress line on a terminal, then the result as a table or as
/// JSON. A dead letter ends it too. `entry`: the stream entry that it was published as, if this process
/// published it: earlier events with its id do not count then. Returns the exit code: 0 only for a
/// finished event.
[[nodiscard]] int follow_event(
    redis_session& redis, const common_options& common, std::string event, std::string entry);

/// Ends the command that has nothing to show of an event: it was refused, or never heard of (exit 1).
[[noreturn]] void end_without(redis_session& redis, const std::string& event);

/// The table that people get of an event, as of `now`.
[[nodiscard]] std::string report_table(const event_report& report, wall_time now);

/// "3 territories wait for the end of quiet hours at 2026-11-24T06:00:00.000Z (Europe/Paris)", a line for
/// each moment; empty if none does.
[[nodiscard]] std::string deferral_lines(const event_report& report, wall_time now);

/// An event's result, or, with "deferred" beside them, its sums so far.
[[nodiscard]] boost::json::object document_so_far(
    const event_report& report, const territories& places, wall_time now);

}  // namespace tocsin::cli
