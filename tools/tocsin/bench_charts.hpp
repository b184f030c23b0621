#pragma once

#include "tools/tocsin/bench_latencies.hpp"

#include <boost/json/array.hpp>

#include <string>
#include <string_view>

namespace tocsin::cli {

/// Pairs of a share and the milliseconds that this share of all is not above: eight for each nine, up to the
/// last that so many can tell.
[[nodiscard]] boost::json::array percentile_pairs(const bench_latencies& of);
/// The same from a histogram's pairs of upper bound (ms, or "+Inf") and count; within a bucket, by the rule
/// of three.
[[nodiscard]] boost::json::array percentile_pairs(const boost::json::array& histogram);

/// Devices that have accepted, by time, out of pairs of milliseconds and their number until then.
[[nodiscard]] std::string accepted_chart(const boost::json::array& timeline);

/// Latency by percentile, with an axis that gives each nine as much room as the one before: how HDR
/// histograms are drawn. `accepted`, `pushes`: pairs as above.
[[nodiscard]] std::string percentile_chart(
    const boost::json::array& accepted, const boost::json::array& pushes);

/// Acceptances per second by time, out of the same pairs; `limit` stands below it, as HTML.
[[nodiscard]] std::string throughput_chart(const boost::json::array& timeline, std::string_view limit);

/// Pushes by how long their answers took, out of a histogram's pairs. The bounds grow like an exponential, so
/// each bar is as wide as the next; empty ones at both ends are left out.
[[nodiscard]] std::string latency_chart(const boost::json::array& histogram);

}  // namespace tocsin::cli
