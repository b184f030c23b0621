#pragma once

#include <boost/json/object.hpp>
#include <openssl/evp.h>

#include <optional>
#include <string>
#include <string_view>

namespace tocsin::sim {

/// A compact JWS (RFC 7515) taken apart; nothing in it is verified yet.
struct jwt {
    std::string_view signed_part;  ///< Of the text that was read.
    std::string signature;
    boost::json::object header;
    boost::json::object claims;
};

/// Empty unless `text` is three base64url parts, the first two of them JSON objects.
[[nodiscard]] std::optional<jwt> read_jwt(std::string_view text);

/// ES256: ECDSA on P-256 and SHA-256, the signature 64 bytes R || S (RFC 7518, section 3.4).
[[nodiscard]] bool verify_es256(EVP_PKEY& key, std::string_view message, std::string_view signature);
/// RS256: RSASSA-PKCS1-v1_5 and SHA-256.
[[nodiscard]] bool verify_rs256(EVP_PKEY& key, std::string_view message, std::string_view signature);

}  // namespace tocsin::sim
