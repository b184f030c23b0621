#pragma once

#include "engine/audience/territories.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/histogram.hpp"
#include "engine/plan/lane_bound.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/outcome.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace tocsin {

/// The sums of an event, out of its ledger.
struct event_report {
    std::string event;
    std::string state;
    std::uint64_t targeted = 0;
    std::array<std::uint64_t, outcome_count> outcomes{};
    std::uint64_t retries = 0;
    std::uint64_t possible_duplicates = 0;
    std::uint64_t parked = 0;
    std::uint64_t pages_planned = 0;
    std::uint64_t pages_settled = 0;
    std::int64_t accepted_at = 0;  ///< ms since 1970, as all times here; 0: not yet.
    std::int64_t started_at = 0;
    std::int64_t finished_at = 0;
    std::map<std::string, std::uint64_t> reasons;  ///< "apns:Unregistered"
    std::map<std::string, std::map<std::string, std::array<std::uint64_t, outcome_count>>> apps;
    /// By app and platform: what held its pages up, in µs of theirs.
    std::map<std::string, std::map<std::string, std::array<std::uint64_t, lane_bound_count>>> limits;
    std::map<std::string, std::uint64_t> communes;  ///< INSEE code → accepted devices.
    bool counts_communes = false;  ///< The result lists them; `tocsin report` does in any case.
    histogram latencies;  ///< Milliseconds from the reading of the event to the provider's acceptance.

    [[nodiscard]] std::uint64_t count(outcome how) const noexcept {
        return outcomes[static_cast<std::size_t>(how)];
    }
    [[nodiscard]] std::uint64_t ended() const noexcept;
};

[[nodiscard]] event_report read_report(std::string event, const ledger_fields& fields);

/// How an event that has nothing left to do ended: "finished", "cancelled", "expired" or "failed".
[[nodiscard]] std::string final_state(const event_report& report);

/// Accepted devices, inhabitants and reach of each commune of the audience, by INSEE code.
[[nodiscard]] boost::json::object communes_object(const event_report& report, const territories& places);

/// What held the event up: by app and platform, shares of the time that its pages were open.
[[nodiscard]] boost::json::object limits_object(const event_report& report);

/// The `result` document of the contract (§6).
[[nodiscard]] boost::json::object result_document(const event_report& report, const territories& places);

}  // namespace tocsin
