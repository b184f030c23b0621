#pragma once

#include "engine/core/owned_counter.hpp"
#include "tools/simulator/reasons.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tocsin::sim {

/// What is counted for each provider.
enum class tally : std::size_t {
    requests,                 ///< Complete requests, whatever became of them.
    accepted,                 ///< Answered success (or would have been, had a fault not eaten the answer).
    validated,                ///< FCM validate_only: checked and not delivered.
    refused_streams,          ///< RST_STREAM REFUSED_STREAM.
    reset_streams,            ///< Other RST_STREAM by a fault.
    silenced,                 ///< Never answered, by a fault.
    answers_lost,             ///< Decided, but the stream ended before the answer left.
    taken_back,               ///< Promised unprocessed by a GOAWAY, and no longer counted.
    connections,              ///< Opened, TLS included.
    handshakes_failed,        ///< TLS failed, or HTTP/2 was not agreed on.
    goaways,                  ///< GOAWAY frames sent on purpose.
    stream_limit_violations,  ///< Streams opened above the announced limit.
    protocol_errors,          ///< What HTTP/2 does not allow, of connections and of streams.
    cuts,                     ///< Connections cut by a fault.
    frozen,                   ///< Half-open connections.
    window_stalls,            ///< Connections whose windows an action stalled.
    settings_changes,         ///< Connections whose SETTINGS an action changed.
    wedged,                   ///< Connections that an action wedged.
    slow_handshakes,
    bytes_in,  ///< On the wire, TLS included.
    bytes_out,
};
constexpr auto tally_names = std::to_array<std::string_view>({"requests",         "accepted",
                                                              "validated",        "refused_streams",
                                                              "reset_streams",    "silenced",
                                                              "answers_lost",     "taken_back",
                                                              "connections",      "handshakes_failed",
                                                              "goaways",          "stream_limit_violations",
                                                              "protocol_errors",  "cuts",
                                                              "frozen",           "window_stalls",
                                                              "settings_changes", "wedged",
                                                              "slow_handshakes",  "bytes_in",
                                                              "bytes_out"});
static_assert(tally_names.size() == static_cast<std::size_t>(tally::bytes_out) + 1);

/// One provider's counters of one thread: raised there, read anywhere.
struct provider_counters {
    std::array<owned_counter, tally_names.size()> tallies;
    std::array<owned_counter, max_reasons> by_reason;
    std::vector<owned_counter> by_owner;  ///< Acceptances of each topic or project.

    void add(tally what, std::uint64_t amount = 1) noexcept {
        tallies[static_cast<std::size_t>(what)].add(amount);
    }
    // Unsigned arithmetic wraps, so that adding the largest number takes one away.
    void take_one_from(owned_counter& counter) noexcept { counter.add(~std::uint64_t{0}); }
};

/// The same numbers at one instant.
struct counter_snapshot {
    std::array<std::uint64_t, tally_names.size()> tallies{};
    std::array<std::uint64_t, max_reasons> by_reason{};
    std::vector<std::uint64_t> by_owner;

    [[nodiscard]] std::uint64_t of(tally what) const noexcept {
        return tallies[static_cast<std::size_t>(what)];
    }
    void add(const provider_counters& from);
    void subtract(const counter_snapshot& earlier);
};

}  // namespace tocsin::sim
