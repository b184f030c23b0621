#pragma once

#include "engine/core/clock.hpp"
#include "engine/net/tls_context.hpp"
#include "providers/auth/oauth_exchange.hpp"
#include "providers/auth/service_account.hpp"

#include <boost/asio/awaitable.hpp>

namespace tocsin::auth {

/// Asks the account's own token endpoint, once, for an access token to send messages with. `issued_at` is
/// what the assertion says. Everything passed by reference must outlive the coroutine.
[[nodiscard]] boost::asio::awaitable<exchange_outcome> request_account_token(
    const service_account& account, const net::tls_context& tls, const time_source& time,
    wall_time issued_at);

}  // namespace tocsin::auth
