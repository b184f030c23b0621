#include "providers/auth/account_token.hpp"

#include "providers/auth/jwt.hpp"

#include <chrono>
#include <string_view>

namespace tocsin::auth {
namespace {

// What is issued in the future is refused: a clock that is some seconds ahead must not matter.
constexpr std::chrono::seconds room_for_clocks{10};
constexpr std::string_view messaging_scope = "https://www.googleapis.com/auth/firebase.messaging";

}  // namespace

boost::asio::awaitable<exchange_outcome> request_account_token(
    const service_account& account, const net::tls_context& tls, const time_source& time,
    wall_time issued_at) {
    assertion_claims claims;
    claims.key_id = account.private_key_id;
    claims.issuer = account.client_email;
    claims.scope = messaging_scope;
    claims.audience = account.token_uri;
    claims.issued_at = issued_at - room_for_clocks;
    const auto assertion = make_assertion(account.signer, claims);
    if (assertion.has_error()) {
        exchange_problem problem;
        problem.configuration = true;
        problem.sentence = "the service account's key cannot sign";
        co_return problem;
    }
    co_return co_await exchange_assertion(account.token_endpoint, tls, *assertion, time);
}

}  // namespace tocsin::auth
