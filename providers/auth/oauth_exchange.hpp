#pragma once

#include "engine/core/clock.hpp"
#include "engine/net/tls_context.hpp"
#include "providers/common/https_url.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::auth {

struct token_grant {
    std::string access_token;  ///< Visible ASCII, safe as a field value.
    std::chrono::seconds lifetime{};
    /// How far our time of day is ahead of the endpoint's; nothing if that is not known.
    std::optional<std::chrono::seconds> clock_ahead{};
};

/// Why a token endpoint gave no token.
struct exchange_problem {
    /// The key, the account or the clock is wrong: asking again will not help before somebody acts.
    bool configuration = false;
    std::string sentence;
    std::optional<std::chrono::milliseconds> retry_after;
    std::optional<std::chrono::seconds> clock_ahead{};  ///< As of a grant.
};

using exchange_outcome = boost::system::result<token_grant, exchange_problem>;

/// What a token endpoint's answer means (RFC 6749, sections 5.1 and 5.2).
[[nodiscard]] exchange_outcome read_token_answer(
    int status, std::string_view body, std::string_view retry_after, wall_time now);

/// Trades an assertion for an access token (RFC 7523): one HTTP/1.1 request on a connection of its
/// own, given up after ten seconds. Everything passed by reference must outlive the coroutine.
[[nodiscard]] boost::asio::awaitable<exchange_outcome> exchange_assertion(
    const https_url& endpoint, const net::tls_context& tls, const std::string& assertion,
    const time_source& time);

}  // namespace tocsin::auth
