#pragma once

#include "engine/event/receipt.hpp"
#include "engine/event/territory.hpp"
#include "engine/plan/lane_bound.hpp"
#include "engine/plan/outcome.hpp"
#include "engine/plan/shard.hpp"

#include <string>
#include <string_view>

// The names of an event's fields in Redis: one home, so that what settles and what reports agree.

namespace tocsin::ledger_names {

inline constexpr std::string_view document = "event";  ///< The publish event as it was read.
inline constexpr std::string_view state = "state";     ///< scheduled, running, cancelling, or how it ended.
inline constexpr std::string_view accepted_at = "accepted_at";  ///< ms: when it was read.
inline constexpr std::string_view started_at = "started_at";    ///< ms: when its shards were made.
inline constexpr std::string_view audience = "audience";  ///< audience::encode(): all engines agree on it.
inline constexpr std::string_view targets = "targets";    ///< As to_string(target), with ";" between them.
inline constexpr std::string_view communes = "communes";  ///< "1": the result lists them.
inline constexpr std::string_view targeted = "targeted";
inline constexpr std::string_view retries = "retries";
inline constexpr std::string_view possible_duplicates = "possible_duplicates";
inline constexpr std::string_view pages = "pages";                  ///< The first page number that is free.
inline constexpr std::string_view pages_planned = "pages_planned";  ///< When it was planned.
inline constexpr std::string_view waves = "waves";        ///< timetable::encode(): when its pages may leave.
inline constexpr std::string_view deferred = "deferred";  ///< write_deferrals(): what quiet hours hold back.
inline constexpr std::string_view pages_settled = "pages_settled";
inline constexpr std::string_view poison = "poison";    ///< Shards that were put aside.
inline constexpr std::string_view damaged = "damaged";  ///< Why it could not go on: keys not as written.
inline constexpr std::string_view damaged_rosters = "damaged_rosters";  ///< How many could not be read.
/// Dead devices whose removal has waited: they looked unusual, and were not many yet.
inline constexpr std::string_view removals_waited = "removals_waited";
/// Dead devices whose removal was left to an operator.
inline constexpr std::string_view removals_held = "removals_held";
/// "accepted:dead" of a target (to_string() behind it) that are counted among the small events.
inline constexpr std::string_view removals_counted = "removals_counted:";
inline constexpr std::string_view removals_by = "removals_by";  ///< Until when (ms), and by whom.
inline constexpr std::string_view revision = "revision";        ///< Grows with every change of the sums.
inline constexpr std::string_view rejection = "rejection";      ///< Why a provider refused the event itself.
inline constexpr std::string_view receipts = "receipts";        ///< "1": apps report on it.
inline constexpr std::string_view named_communes = "named_communes";  ///< Of its named devices: "21231;21054"
inline constexpr std::string_view receipts_until = "receipts_until";  ///< ms; absent: it has not ended yet.
inline constexpr std::string_view receipts_closed_at =
    "receipts_closed_at";                               ///< ms; from then on none counts.
inline constexpr std::string_view batches = "batches";  ///< Of receipts that were counted.

// Prefixes of counters.
inline constexpr std::string_view outcome_prefix = "o:";     ///< o:<target>:<outcome>
inline constexpr std::string_view reason_prefix = "r:";      ///< r:<platform>:<reason>
inline constexpr std::string_view bound_prefix = "b:";       ///< b:<target>:<what bound its lanes>, in µs
inline constexpr std::string_view commune_prefix = "c:";     ///< c:<insee>
inline constexpr std::string_view unaccepted_prefix = "l:";  ///< l:<insee>, targeted less accepted, so far
inline constexpr std::string_view receipt_prefix = "w:";     ///< w:<kind>:<insee>
inline constexpr std::string_view latency_prefix = "h:";     ///< h:<bucket of log_linear, of milliseconds>

[[nodiscard]] inline std::string outcome_field(const target& which, outcome how) {
    return std::string(outcome_prefix) + to_string(which) + ":" + std::string(to_string(how));
}

[[nodiscard]] inline std::string bound_field(const target& which, lane_bound by) {
    return std::string(bound_prefix) + to_string(which) + ":" + std::string(to_string(by));
}

[[nodiscard]] inline std::string receipt_field(receipt_kind kind, commune_id where) {
    return std::string(receipt_prefix) + std::string(to_string(kind)) + ":" + to_string(where);
}

}  // namespace tocsin::ledger_names
