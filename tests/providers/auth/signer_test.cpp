#include "providers/auth/es256.hpp"
#include "providers/auth/rs256.hpp"
#include "tests/providers/auth/test_keys.hpp"

#include <openssl/err.h>

#include <gtest/gtest.h>

namespace tocsin::auth {
namespace {

using testing::test_key;

TEST(Es256, SignsWhatTheKeyVerifies) {
    const auto key = test_key::p256();
    const auto signer = es256_signer::from_pem(key.pem());
    ASSERT_TRUE(signer.has_value());
    // Many rounds: one in 256 signatures has a coordinate with a leading zero byte.
    for (int round = 0; round < 600; ++round) {
        const std::string message = "header.claims." + std::to_string(round);
        const auto signature = signer->sign(message);
        ASSERT_TRUE(signature.has_value());
        ASSERT_EQ(signature->size(), 64U);
        ASSERT_TRUE(key.verifies(message, *signature)) << message;
    }
}

TEST(Es256, RefusesWhatIsNotAP256Key) {
    EXPECT_TRUE(es256_signer::from_pem("").has_error());
    EXPECT_TRUE(es256_signer::from_pem("not a key").has_error());
    EXPECT_TRUE(es256_signer::from_pem(test_key::rsa(2048).pem()).has_error());
    EXPECT_TRUE(es256_signer::from_pem(test_key::ec("P-384").pem()).has_error());
    // As wide as P-256, and not it.
    EXPECT_TRUE(es256_signer::from_pem(test_key::ec("secp256k1").pem()).has_error());
}

TEST(Es256, RefusesAnEncryptedKeyInsteadOfAskingTheTerminal) {
    EXPECT_TRUE(es256_signer::from_pem(test_key::p256().encrypted_pem("secret")).has_error());
}

TEST(Es256, LeavesNoErrorBehindForTheNextTlsOperation) {
    ASSERT_TRUE(es256_signer::from_pem("not a key").has_error());
    EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(Rs256, SignsWhatTheKeyVerifies) {
    const auto key = test_key::rsa(2048);
    const auto signer = rs256_signer::from_pem(key.pem());
    ASSERT_TRUE(signer.has_value());
    const auto signature = signer->sign("header.claims");
    ASSERT_TRUE(signature.has_value());
    EXPECT_EQ(signature->size(), 256U);
    EXPECT_TRUE(key.verifies("header.claims", *signature));
    EXPECT_FALSE(key.verifies("header.claimz", *signature));
}

TEST(Rs256, RefusesShortAndForeignKeys) {
    EXPECT_TRUE(rs256_signer::from_pem("not a key").has_error());
    EXPECT_TRUE(rs256_signer::from_pem(test_key::p256().pem()).has_error());
    EXPECT_TRUE(rs256_signer::from_pem(test_key::rsa(1024).pem()).has_error());
}

}  // namespace
}  // namespace tocsin::auth
