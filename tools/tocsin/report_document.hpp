#pragma once

#include "engine/audience/territories.hpp"
#include "engine/event/publish_event.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/report.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace tocsin::cli {

/// All that Redis holds of an event.
struct stored_event {
    ledger_fields fields;
    event_report report;         ///< With state and `finished_at` out of the result, if it has ended.
    boost::json::object result;  ///< As it was published; empty: the event has not ended.

    /// Empty if there is none.
    [[nodiscard]] std::string_view field(std::string_view name) const;
};

/// Nothing if there is no such event.
[[nodiscard]] boost::asio::awaitable<result<std::optional<stored_event>>> read_stored_event(
    redis_session& redis, std::string event);

/// The event that was published, read as of when it was accepted: what counts from "now", such as an expiry,
/// must not move with every reading. An error if what is stored of it cannot be read.
[[nodiscard]] parsed<publish_event> content_of(const stored_event& event);

/// What `tocsin report --json` prints: the result, and what is known of all communes together and of each.
[[nodiscard]] boost::json::object report_document(const event_report& report, const territories& places);

}  // namespace tocsin::cli
