#include "engine/ops/credential_check.hpp"

#include "tests/engine/ops/credentials.hpp"
#include "tests/engine/ops/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using ::testing::HasSubstr;

std::string complaint(const parsed<>& outcome) {
    return outcome.has_error() ? outcome.error().message : "";
}

class CredentialCheckTest : public ::testing::Test {
protected:
    static const std::string& rsa_pem() {
        static const std::string pem = testing::pem_of(testing::make_rsa_key(2048).get());
        return pem;
    }

    std::string account(const boost::json::object& document) {
        return complaint(
            check_service_account(folder.write("account.json", boost::json::serialize(document))));
    }
    std::string apns_key(std::string_view contents) {
        return complaint(check_apns_key(folder.write("key.p8", contents)));
    }

    testing::temporary_folder folder;
};

TEST_F(CredentialCheckTest, ApnsKeyOnP256IsTaken) {
    EXPECT_EQ(apns_key(testing::pem_of(testing::make_ec_key().get())), "");
}

TEST_F(CredentialCheckTest, ApnsKeyOfAnotherKindIsRefused) {
    EXPECT_THAT(
        apns_key(testing::pem_of(testing::make_ec_key("P-384").get())), HasSubstr("EC keys on P-256 only"));
    EXPECT_THAT(apns_key(rsa_pem()), HasSubstr("EC keys on P-256 only"));
}

TEST_F(CredentialCheckTest, ApnsKeyThatIsNoPemIsRefused) {
    EXPECT_THAT(apns_key(""), HasSubstr("is not a PEM private key"));
    EXPECT_THAT(
        apns_key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        HasSubstr("is not a PEM"));
}

TEST_F(CredentialCheckTest, EncryptedKeyIsRefusedWithoutAskingForItsPassphrase) {
    const auto key = testing::make_ec_key();
    const c_handle<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
    ASSERT_EQ(
        PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_128_cbc(), "secret", 6, nullptr, nullptr),
        1);
    EXPECT_THAT(apns_key(testing::contents_of(out.get())), HasSubstr("without a passphrase"));
}

TEST_F(CredentialCheckTest, CompleteServiceAccountIsTaken) {
    EXPECT_EQ(account(testing::make_service_account(rsa_pem())), "");
}

TEST_F(CredentialCheckTest, ServiceAccountNeedsEachMember) {
    for (const char* const name : {"client_email", "private_key", "token_uri", "project_id"}) {
        auto without = testing::make_service_account(rsa_pem());
        without.erase(name);
        EXPECT_THAT(account(without), HasSubstr(std::string("has no \"") + name + "\""));
        auto wrong = testing::make_service_account(rsa_pem());
        wrong[name] = 5;
        EXPECT_THAT(account(wrong), HasSubstr(std::string("has no \"") + name + "\""));
    }
}

TEST_F(CredentialCheckTest, ServiceAccountWithAnUnusableKeyIsRefused) {
    EXPECT_THAT(account(testing::make_service_account("not a key")), HasSubstr("is not an RSA key in PEM"));
    EXPECT_THAT(
        account(testing::make_service_account(testing::pem_of(testing::make_ec_key().get()))),
        HasSubstr("is not an RSA key in PEM"));
    EXPECT_THAT(
        account(testing::make_service_account(testing::pem_of(testing::make_rsa_key(1024).get()))),
        HasSubstr("shorter than 2048 bits"));
}

TEST_F(CredentialCheckTest, TokensAreAskedForOverTlsOnly) {
    auto document = testing::make_service_account(rsa_pem());
    document["token_uri"] = "http://oauth2.googleapis.com/token";
    EXPECT_THAT(account(document), HasSubstr("must begin with https://"));
}

TEST_F(CredentialCheckTest, FileThatIsNoJsonObjectIsRefused) {
    for (const char* const text : {"", "[]", "{", "null", "-----BEGIN PRIVATE KEY-----"}) {
        EXPECT_THAT(
            complaint(check_service_account(folder.write("account.json", text))),
            HasSubstr("is not a JSON object"));
    }
}

TEST_F(CredentialCheckTest, FolderIsNoFile) {
    EXPECT_THAT(complaint(check_apns_key(folder.path().string())), HasSubstr("is not a regular file"));
    EXPECT_THAT(
        complaint(check_trust_root(folder.path().string(), wall_time())), HasSubstr("is not a regular file"));
}

TEST_F(CredentialCheckTest, OneValidRootAmongExpiredOnesIsEnough) {
    const wall_time now(std::chrono::milliseconds(1'795'000'000'000));
    const auto key = testing::make_ec_key();
    const std::string expired =
        testing::make_certificate(key.get(), now - std::chrono::hours(2), now - std::chrono::hours(1));
    const std::string valid =
        testing::make_certificate(key.get(), now - std::chrono::hours(2), now + std::chrono::hours(1));
    EXPECT_EQ(complaint(check_trust_root(folder.write("roots.pem", expired + valid), now)), "");
    EXPECT_THAT(
        complaint(check_trust_root(folder.write("roots.pem", expired), now)), HasSubstr("valid today"));
}

}  // namespace
}  // namespace tocsin
