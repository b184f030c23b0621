#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "providers/auth/es256.hpp"
#include "providers/auth/rs256.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace tocsin::auth {

/// APNs' provider token: ES256, `kid`, `iss` and `iat`, nothing else (Apple, "Establishing a
/// token-based connection to APNs").
[[nodiscard]] result<std::string> make_apns_token(
    const es256_signer& signer, std::string_view team_id, std::string_view key_id, wall_time issued_at);

/// A push service's proof of who sends (RFC 8292, section 2): ES256, `aud`, `exp` and `sub`.
[[nodiscard]] result<std::string> make_vapid_token(
    const es256_signer& signer, std::string_view origin, std::string_view subject, wall_time expires_at);

struct assertion_claims {
    std::string_view key_id;
    std::string_view issuer;
    std::string_view scope;
    std::string_view audience;
    wall_time issued_at{};
    std::chrono::seconds lifetime{3600};  ///< Google allows an hour at most.
};

/// The assertion of OAuth's JWT bearer flow (RFC 7523), as Google's token endpoint wants it.
[[nodiscard]] result<std::string> make_assertion(const rs256_signer& signer, const assertion_claims& claims);

}  // namespace tocsin::auth
