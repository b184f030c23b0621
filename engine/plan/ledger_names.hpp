#pragma once

#include "engine/plan/lane_bound.hpp"
#include "engine/plan/outcome.hpp"
#include "engine/plan/shard.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// The names of an event's fields in Redis: one home, so that what settles and what reports agree.

namespace tocsin::ledger_names {

inline constexpr std::string_view document = "event";  ///< The publish event as it was read.
inline constexpr std::string_view state = "state";     ///< scheduled, running, cancelling, or how it ended.
inline constexpr std::string_view accepted_at = "accepted_at";  ///< ms: when it was read.
inline constexpr std::string_view started_at = "started_at";    ///< ms: when its shards were made.
inline constexpr std::string_view audience = "audience";  ///< audience::encode(): all engines agree on it.
inline constexpr std::string_view targets = "targets";    ///< "mairies/apns;mairies/fcm"
inline constexpr std::string_view communes = "communes";  ///< "1": the result lists them.
inline constexpr std::string_view targeted = "targeted";
inline constexpr std::string_view retries = "retries";
inline constexpr std::string_view possible_duplicates = "possible_duplicates";
inline constexpr std::string_view pages = "pages";                  ///< The first page number that is free.
inline constexpr std::string_view pages_planned = "pages_planned";  ///< When it was planned.
inline constexpr std::string_view pages_settled = "pages_settled";
inline constexpr std::string_view poison = "poison";    ///< Shards that were put aside.
inline constexpr std::string_view damaged = "damaged";  ///< Why it could not go on: keys not as written.
inline constexpr std::string_view damaged_rosters = "damaged_rosters";  ///< How many could not be read.
inline constexpr std::string_view revision = "revision";    ///< Grows with every change of the sums.
inline constexpr std::string_view rejection = "rejection";  ///< Why a provider refused the event itself.

// Prefixes of counters.
inline constexpr std::string_view outcome_prefix = "o:";  ///< o:<target>:<outcome>
inline constexpr std::string_view reason_prefix = "r:";   ///< r:<platform>:<reason>
inline constexpr std::string_view bound_prefix = "b:";    ///< b:<target>:<what bound its lanes>, in µs
inline constexpr std::string_view commune_prefix = "c:";  ///< c:<insee>
inline constexpr std::string_view latency_prefix = "h:";  ///< h:<bucket of log_linear, of milliseconds>

[[nodiscard]] inline std::string outcome_field(const target& which, outcome how) {
    return std::string(outcome_prefix) + to_string(which) + ":" + std::string(to_string(how));
}

[[nodiscard]] inline std::string bound_field(const target& which, lane_bound by) {
    return std::string(bound_prefix) + to_string(which) + ":" + std::string(to_string(by));
}

}  // namespace tocsin::ledger_names
