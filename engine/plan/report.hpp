#pragma once

#include "engine/audience/territories.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/histogram.hpp"
#include "engine/event/receipt.hpp"
#include "engine/plan/deferral.hpp"
#include "engine/plan/lane_bound.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/outcome.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace tocsin {

/// Devices by receipt_kind.
using receipt_counts = std::array<std::uint64_t, receipt_kind_count>;

/// The sums of an event, out of its ledger.
struct event_report {
    std::string event;
    event_state state{};
    std::uint64_t targeted = 0;
    std::array<std::uint64_t, outcome_count> outcomes{};
    std::uint64_t retries = 0;
    std::uint64_t possible_duplicates = 0;
    std::uint64_t parked = 0;
    std::uint64_t removals_held = 0;  ///< Dead devices that stayed in the store until an operator decided.
    std::uint64_t pages_planned = 0;
    std::uint64_t pages_settled = 0;
    std::int64_t accepted_at = 0;  ///< ms since 1970, as all times here; 0: not yet.
    std::int64_t started_at = 0;
    std::int64_t finished_at = 0;
    std::map<std::string, std::uint64_t> reasons;  ///< "<platform>:Unregistered"
    std::map<std::string, std::map<std::string, std::array<std::uint64_t, outcome_count>>> apps;
    /// By app and platform: what held its pages up, in µs of theirs.
    std::map<std::string, std::map<std::string, std::array<std::uint64_t, lane_bound_count>>> limits;
    std::map<std::string, std::uint64_t> communes;  ///< INSEE code → accepted devices.
    /// INSEE code → devices that were targeted and are not accepted, where there are any.
    std::map<std::string, std::int64_t> unaccepted;
    bool asks_receipts = false;
    std::map<std::string, receipt_counts> receipts;  ///< INSEE code → what its apps have reported.
    std::int64_t receipts_until = 0;                 ///< When its window ends; 0: it has not ended yet.
    std::int64_t receipts_closed_at = 0;             ///< Since when none counts any more; 0: they do.
    std::vector<deferral> deferred;                  ///< As planned: by now some may have left.
    bool counts_communes = false;  ///< The result lists them; `tocsin report` does in any case.
    histogram latencies;  ///< Milliseconds from the reading of the event to the provider's acceptance.

    [[nodiscard]] std::uint64_t count(outcome how) const noexcept {
        return outcomes[static_cast<std::size_t>(how)];
    }
    [[nodiscard]] std::uint64_t ended() const noexcept;
};

/// What of an event that is under way quiet hours hold back at `now`.
[[nodiscard]] std::vector<deferral> still_deferred(const event_report& report, wall_time now);

[[nodiscard]] event_report read_report(std::string event, const ledger_fields& fields);

/// How an event that has nothing left to do ended.
[[nodiscard]] event_state final_state(const event_report& report);

/// What is known of one commune, or of all together.
struct reach_line {
    std::string insee;               ///< Empty: of all.
    const commune* place = nullptr;  ///< Null: of all, or nowhere in `territories`.
    std::uint64_t population = 0;
    std::uint64_t targeted = 0;
    std::uint64_t accepted = 0;
    receipt_counts told{};

    [[nodiscard]] std::uint64_t count(receipt_kind kind) const noexcept {
        return told[static_cast<std::size_t>(kind)];
    }
    /// Devices that are known to have it: the largest of the three kinds, since an app may not report all.
    [[nodiscard]] std::uint64_t confirmed() const noexcept;
};

/// A line for each commune of the audience, also where nobody was reached, ordered by INSEE code. `places`
/// must outlive them.
[[nodiscard]] std::vector<reach_line> reach_lines(const event_report& report, const territories& places);
/// The sum of the event's `lines`. Targeted and accepted are the event's own sums: a device that nobody has
/// registered has no commune.
[[nodiscard]] reach_line reach_of_all(const event_report& report, std::span<const reach_line> lines);

/// "population", "targeted", "accepted", "received", "displayed", "opened", "reach" and "confirmed_reach" of
/// a line, and of one commune its "name". What an event did not ask for, and shares of nobody, are null.
[[nodiscard]] boost::json::object reach_object(const reach_line& line, bool asks_receipts);

/// Puts the sums of all communes into a document of the event, and each of them under "communes". The one
/// home of what `tocsin report`, the live page and the `reach` document say.
void add_reach(boost::json::object& to, const event_report& report, const territories& places);

/// The `reach` document of the contract (§11).
[[nodiscard]] boost::json::object reach_document(const event_report& report, const territories& places);

/// Accepted devices, inhabitants and reach of each commune of the audience, by INSEE code: as results have
/// it.
[[nodiscard]] boost::json::object communes_object(const event_report& report, const territories& places);

/// What held the event up: by app and platform, shares of the time that its pages were open.
[[nodiscard]] boost::json::object limits_object(const event_report& report);

/// The `result` document of the contract (§6).
[[nodiscard]] boost::json::object result_document(const event_report& report, const territories& places);

}  // namespace tocsin
