#include "providers/auth/jwt.hpp"

#include "engine/core/text.hpp"
#include "tests/providers/auth/test_keys.hpp"

#include <boost/json/parse.hpp>

#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::auth {
namespace {

using testing::test_key;
const wall_time then(std::chrono::milliseconds(1'795'000'000'999));

std::vector<std::string> parts_of(const std::string& jwt) {
    std::vector<std::string> out;
    std::size_t start = 0;
    for (std::size_t dot = jwt.find('.'); dot != std::string::npos; dot = jwt.find('.', start)) {
        out.push_back(jwt.substr(start, dot - start));
        start = dot + 1;
    }
    out.push_back(jwt.substr(start));
    return out;
}

boost::json::value decoded(const std::string& part) {
    return boost::json::parse(from_base64url(part).value());
}

TEST(ApnsToken, HoldsWhatAppleAsksForAndNothingElse) {
    const auto key = test_key::p256();
    const auto signer = es256_signer::from_pem(key.pem());
    const auto jwt = make_apns_token(*signer, "ABCDE12345", "KEY1234567", then);
    ASSERT_TRUE(jwt.has_value());
    const auto parts = parts_of(*jwt);
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(decoded(parts[0]), boost::json::parse(R"({"alg":"ES256","kid":"KEY1234567"})"));
    // A number of whole seconds: Apple's own sample has milliseconds in a string, and is wrong.
    EXPECT_EQ(decoded(parts[1]), boost::json::parse(R"({"iss":"ABCDE12345","iat":1795000000})"));
    EXPECT_TRUE(key.verifies(parts[0] + "." + parts[1], from_base64url(parts[2]).value()));
    EXPECT_LT(jwt->size(), 220U);
}

TEST(Assertion, HoldsWhatGoogleAsksFor) {
    const auto key = test_key::rsa(2048);
    const auto signer = rs256_signer::from_pem(key.pem());
    assertion_claims claims;
    claims.key_id = "abc";
    claims.issuer = "push@p.iam.gserviceaccount.com";
    claims.scope = "https://www.googleapis.com/auth/firebase.messaging";
    claims.audience = "https://oauth2.googleapis.com/token";
    claims.issued_at = then;
    const auto jwt = make_assertion(*signer, claims);
    ASSERT_TRUE(jwt.has_value());
    const auto parts = parts_of(*jwt);
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(decoded(parts[0]), boost::json::parse(R"({"alg":"RS256","typ":"JWT","kid":"abc"})"));
    EXPECT_EQ(decoded(parts[1]), boost::json::parse(R"({"iss":"push@p.iam.gserviceaccount.com",
            "scope":"https://www.googleapis.com/auth/firebase.messaging",
            "aud":"https://oauth2.googleapis.com/token","iat":1795000000,"exp":1795003600})"));
    EXPECT_TRUE(key.verifies(parts[0] + "." + parts[1], from_base64url(parts[2]).value()));
}

}  // namespace
}  // namespace tocsin::auth
