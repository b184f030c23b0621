#include "providers/auth/jwt.hpp"

#include "engine/core/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdint>

namespace tocsin::auth {
namespace {

std::int64_t seconds_of(wall_time when) noexcept {
    return std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count();
}

/// JWS compact form (RFC 7515, section 7.1).
template <class Signer>
result<std::string> compact(
    const Signer& signer, const boost::json::object& header, const boost::json::object& claims) {
    std::string out =
        base64url(boost::json::serialize(header)) + '.' + base64url(boost::json::serialize(claims));
    auto signature = signer.sign(out);
    if (signature.has_error()) {
        return signature.error();
    }
    out += '.';
    out += base64url(*signature);
    return out;
}

}  // namespace

result<std::string> make_apns_token(
    const es256_signer& signer, std::string_view team_id, std::string_view key_id, wall_time issued_at) {
    boost::json::object header;
    header["alg"] = "ES256";
    header["kid"] = key_id;
    boost::json::object claims;
    claims["iss"] = team_id;
    claims["iat"] = seconds_of(issued_at);
    return compact(signer, header, claims);
}

result<std::string> make_vapid_token(
    const es256_signer& signer, std::string_view origin, std::string_view subject, wall_time expires_at) {
    boost::json::object header;
    header["typ"] = "JWT";
    header["alg"] = "ES256";
    boost::json::object claims;
    claims["aud"] = origin;
    claims["exp"] = seconds_of(expires_at);
    claims["sub"] = subject;
    return compact(signer, header, claims);
}

result<std::string> make_assertion(const rs256_signer& signer, const assertion_claims& claims) {
    boost::json::object header;
    header["alg"] = "RS256";
    header["typ"] = "JWT";
    header["kid"] = claims.key_id;
    boost::json::object body;
    body["iss"] = claims.issuer;
    body["scope"] = claims.scope;
    body["aud"] = claims.audience;
    body["iat"] = seconds_of(claims.issued_at);
    body["exp"] = seconds_of(claims.issued_at) + claims.lifetime.count();
    return compact(signer, header, body);
}

}  // namespace tocsin::auth
