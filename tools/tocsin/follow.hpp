#pragma once

#include "engine/plan/report.hpp"
#include "tools/tocsin/options.hpp"
#include "tools/tocsin/session.hpp"

#include <string>

namespace tocsin::cli {

/// Follows an event to its result: a progress line on a terminal, then the result as a table or as
/// JSON. `entry`: the stream entry that it was published as, if this process published it; then a dead
/// letter about that entry ends it too. Returns the exit code: 0 only for a finished event.
[[nodiscard]] int follow_event(
    redis_session& redis, const common_options& common, std::string event, std::string entry);

/// The table that people get of an event.
[[nodiscard]] std::string report_table(const event_report& report);

/// The event's report, with `finished_at` and state out of the stored result if it has ended; nothing
/// if there is no such event.
boost::asio::awaitable<result<std::optional<event_report>>> read_event(
    redis_session& redis, std::string event, boost::json::value* document);

}  // namespace tocsin::cli
