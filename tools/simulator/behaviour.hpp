#pragma once

#include "engine/core/error.hpp"
#include "tools/simulator/latency.hpp"
#include "tools/simulator/reasons.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::sim {

/// An answer that a share of the acceptable requests gets instead of success.
struct error_share {
    reason_index reason = success;
    double share = 0;                          ///< 0 to 1.
    std::optional<std::uint32_t> retry_after;  ///< Seconds, as a Retry-After header.

    friend bool operator==(const error_share&, const error_share&) = default;
};

/// How an answer reaches the client, or does not.
enum class fate : std::uint8_t {
    answer,   ///< Normally.
    reset,    ///< Processed, then RST_STREAM instead of the answer.
    silence,  ///< Processed, never answered.
    close,    ///< Processed, then the connection is cut.
    refuse,   ///< RST_STREAM REFUSED_STREAM, not processed.
};

/// One answer of a device token's script.
struct scripted_answer {
    reason_index reason = success;
    fate what = fate::answer;
    std::uint32_t reset_code = 8;  ///< CANCEL; for fate::reset.
    std::optional<double> delay_ms;
    std::optional<std::uint32_t> retry_after;
    std::optional<std::int64_t> timestamp;  ///< Of APNs' 410, ms since 1970.

    friend bool operator==(const scripted_answer&, const scripted_answer&) = default;
};

/// What one device token is answered: the nth request gets the nth answer.
struct token_script {
    std::vector<scripted_answer> answers;
    bool repeat = false;      ///< The last answer is for all later requests too; else normal service.
    std::uint32_t first = 0;  ///< How many requests the token had when the script was set.

    friend bool operator==(const token_script&, const token_script&) = default;
};

enum class error_bodies : std::uint8_t {
    json,     ///< As the provider sends them.
    missing,  ///< END_STREAM on the HEADERS.
    split,    ///< Over DATA frames of 7 bytes.
    html,     ///< Not JSON.
};

/// How the bodies of errors look.
struct body_mix {
    error_bodies all = error_bodies::json;  ///< Of all, if the shares below are 0.
    // Shares of the answers with a status of 5xx, which are the ones that front ends cut short or
    // replace: what tells a dead token from a wrong address is not theirs.
    double missing = 0;
    double split = 0;
    double html = 0;

    [[nodiscard]] bool mixed() const noexcept { return missing > 0 || split > 0 || html > 0; }
    friend bool operator==(const body_mix&, const body_mix&) = default;
};

/// What an APNs connection answers once it has called a provider token expired.
enum class wedge : std::uint8_t { off, expired, internal };

/// Transport faults of one provider. Shares are of requests, 0 to 1, unless they say otherwise.
struct faults {
    double refuse_share = 0;                    ///< REFUSED_STREAM, not processed.
    double reset_share = 0;                     ///< Processed, then RST_STREAM.
    std::vector<std::uint32_t> reset_codes{2};  ///< One of them, by chance; 2: INTERNAL_ERROR.
    double silence_share = 0;                   ///< Processed, never answered.
    double close_share = 0;                     ///< Processed, then the connection is cut.
    std::uint32_t close_after = 0;              ///< Requests after which a connection is cut; 0: never.
    std::uint32_t goaway_after = 0;             ///< Requests after which a connection drains; 0: never.
    bool stall_windows = false;                 ///< No WINDOW_UPDATE is sent.
    double slow_tls_share = 0;                  ///< Of the connections: nothing is read of them at first.
    std::uint32_t slow_tls_ms = 3000;           ///< For so long.
    body_mix bodies;
    wedge after_expired_token = wedge::off;

    friend bool operator==(const faults&, const faults&) = default;
};

/// How one endpoint answers what passes its checks.
struct provider_behaviour {
    latency delay;
    double dead_share = 0;  ///< See is_dead().
    std::optional<std::int64_t>
        dead_since;  ///< Timestamp of APNs' 410 in ms; default: the moment of the answer.
    std::vector<error_share> errors;
    boost::unordered_flat_set<std::uint64_t> dead_tokens;  ///< By token_key().
    boost::unordered_flat_map<std::uint64_t, token_script> scripts;
    faults transport;
    bool limit_drops_on_rejection =
        false;  ///< APNs: a 4xx other than 410 drops the stream limit to 1 until a success.
    std::uint32_t min_token_refresh_s =
        1200;  ///< APNs: a newer provider token sooner on a connection is answered 429.
};

struct oauth_behaviour {
    std::uint32_t expires_in_s = 3599;
    std::uint16_t fail_status = 0;  ///< An HTTP status that every request gets; 0: normal service.
    double delay_ms = 0;

    friend bool operator==(const oauth_behaviour&, const oauth_behaviour&) = default;
};

/// All that can be changed while the simulator runs. A value: threads get a copy.
struct behaviour {
    std::uint64_t seed = 1;
    bool record = false;  ///< Keep the last requests in full, for GET /received.
    std::array<provider_behaviour, provider_count> providers;
    oauth_behaviour oauth;

    [[nodiscard]] const provider_behaviour& of(provider which) const noexcept {
        return providers[static_cast<std::size_t>(which)];
    }
    [[nodiscard]] provider_behaviour& of(provider which) noexcept {
        return providers[static_cast<std::size_t>(which)];
    }
};

/// Something that happens once, to the connections that are open.
struct action {
    enum class kind : std::uint8_t {
        goaway_graceful,  ///< Two GOAWAYs: first 2^31-1, then the last stream processed; closes when drained.
        goaway_middle,    ///< Streams above the middle of those in flight are promised unprocessed, and are.
        goaway_zero,      ///< Last stream 0: every stream in flight is promised unprocessed, and is.
        close,            ///< Cut, without a GOAWAY.
        settings,         ///< Announces the values that are set.
        stall_windows,    ///< Sends no WINDOW_UPDATE for a time.
        wedge,            ///< APNs: answers as if it had called a token expired.
        freeze,           ///< Half-open TCP: reads and writes nothing for a time, then cuts.
        revoke_tokens,    ///< Every OAuth access token issued so far is refused.
    };
    kind what = kind::close;
    std::optional<provider> where;  ///< Empty: all.
    double share = 1;               ///< Of the open connections, each by its own chance.
    /// Stalls end after so long, frozen connections are cut, settings go back; 0: not for settings, and a
    /// minute for the others.
    std::uint32_t for_ms = 0;
    std::uint32_t code = 0;  ///< Of GOAWAY.
    std::string debug;       ///< Of GOAWAY.
    std::optional<std::uint32_t> max_concurrent_streams;
    std::optional<std::uint32_t> initial_window_size;
    std::optional<std::uint32_t> header_table_size;
};

struct behaviour_change {
    behaviour next;
    std::vector<action> now;
};

/// `current` with the members of `document` replaced (docs: the shape is behaviour_json()'s, plus
/// "all", "dead_tokens", "answers" and "now"). The refusal names the member that is wrong.
[[nodiscard]] parsed<behaviour_change> change_behaviour(
    const behaviour& current, const boost::json::value& document);

/// What GET /behaviour shows. Tokens are counted, not listed: they are kept as hashes.
[[nodiscard]] boost::json::object behaviour_json(const behaviour& shown);

}  // namespace tocsin::sim
