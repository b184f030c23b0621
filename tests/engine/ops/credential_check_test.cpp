#include "engine/ops/credential_check.hpp"

#include "providers/apns/settings.hpp"
#include "providers/fcm/settings.hpp"
#include "tests/engine/ops/credentials.hpp"
#include "tests/engine/ops/temporary_folder.hpp"

#include <array>
#include <utility>

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

    std::string account(const boost::json::object& document, const std::string& project = "") {
        return complaint(
            check_service_account(folder.write("account.json", boost::json::serialize(document)), project));
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
    for (const char* const name :
         {"client_email", "private_key", "private_key_id", "token_uri", "project_id"}) {
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
            complaint(check_service_account(folder.write("account.json", text), "")),
            HasSubstr("is not a JSON object"));
    }
}

TEST_F(CredentialCheckTest, WhatIsNoServiceAccountIsToldByItsKind) {
    for (const auto& [type, meaning] :
         {std::pair("authorized_user", "a person's sign-in"),
          std::pair("external_account", "workload identity federation"),
          std::pair("external_account_authorized_user", "workforce identity federation"),
          std::pair("impersonated_service_account", "another's right to speak"),
          std::pair("gdch_service_account", "Google Distributed Cloud"), std::pair("tomorrow's", "")}) {
        // Nothing else of a service account is in such a file.
        const std::string said = account({{"type", type}});
        EXPECT_THAT(said, HasSubstr(std::string("is of type \"") + type + "\"")) << said;
        EXPECT_THAT(said, HasSubstr(meaning));
        EXPECT_THAT(said, HasSubstr("make a key for a service account"));
    }
    EXPECT_THAT(account({{"installed", boost::json::object()}}), HasSubstr("an OAuth client's secret"));
    EXPECT_THAT(
        account({{"project_info", boost::json::object()}, {"client", boost::json::array()}}),
        HasSubstr("google-services.json"));
}

TEST_F(CredentialCheckTest, KeyWhoseLineBreaksWereEscapedAgainOrLostIsTaken) {
    for (const std::string between : {"\\n", "\\\\n", "\\r\\n", " ", "\r\n", "\n\n", ""}) {
        std::string pem;
        for (const char c : rsa_pem()) {
            pem += c == '\n' ? between : std::string(1, c);
        }
        EXPECT_EQ(account(testing::make_service_account(pem)), "") << between;
    }
}

TEST_F(CredentialCheckTest, ConfiguredProjectStandsInForTheFiles) {
    auto document = testing::make_service_account(rsa_pem());
    document.erase("project_id");
    EXPECT_EQ(account(document, "village-news"), "");
    EXPECT_THAT(account(document), HasSubstr("has no \"project_id\", and app.fcm.project_id names none"));
}

TEST_F(CredentialCheckTest, AccountOfAnotherUniverseIsRefused) {
    auto document = testing::make_service_account(rsa_pem());
    document["universe_domain"] = "googleapis.com";
    EXPECT_EQ(account(document), "");
    for (const boost::json::value& other : {boost::json::value("apis-s3ns.fr"), boost::json::value(7)}) {
        document["universe_domain"] = other;
        EXPECT_THAT(account(document), HasSubstr("universe_domain"));
    }
}

TEST_F(CredentialCheckTest, FileThatWasDamagedIsToldByItsLine) {
    const auto said = [&](std::string_view text) {
        return complaint(check_service_account(folder.write("account.json", text), ""));
    };
    EXPECT_THAT(said("{\n  \"type\": \"service_account\",\n  oops\n}\n"), HasSubstr("line 3 is no JSON"));
    const std::string good = boost::json::serialize(testing::make_service_account(rsa_pem()));
    EXPECT_EQ(said("\xEF\xBB\xBF" + good + "\n"), "");
    EXPECT_THAT(said(good + "\n{}"), HasSubstr("line 2 is no JSON"));
}

TEST_F(CredentialCheckTest, ChainInTheWrongOrderIsSaidToBe) {
    const auto root = testing::make_ec_key();
    const auto middle = testing::make_ec_key();
    const auto own = testing::make_ec_key();
    const std::string pems[] = {
        testing::make_issued(own.get(), "app", middle.get(), "middle"),
        testing::make_issued(middle.get(), "middle", root.get(), "root"),
        testing::make_issued(root.get(), "root", root.get(), "root")};
    const std::string key = folder.write("own.key", testing::pem_of(own.get()));
    const wall_time now = system_time_source().wall_now();
    for (std::array<std::size_t, 3> order :
         {std::array<std::size_t, 3>{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
        const std::string chain = folder.write("chain.pem", pems[order[0]] + pems[order[1]] + pems[order[2]]);
        const bool right = order[0] == 0 && order[1] == 1;
        const std::string said = complaint(check_certificate(chain, now));
        EXPECT_EQ(said.find("in the wrong order") == std::string::npos, right) << said;
        EXPECT_EQ(complaint(check_certificate_key(key, chain)), "") << "told of the certificate, and once";
    }
    // Nothing says who issued whom, but the key fits the second.
    const std::string strangers = folder.write("chain.pem", pems[2] + pems[0]);
    EXPECT_EQ(complaint(check_certificate(strangers, now)), "");
    EXPECT_THAT(complaint(check_certificate_key(key, strangers)), HasSubstr("in the wrong order"));
    const std::string other = folder.write("other.key", testing::pem_of(middle.get()));
    const std::string alone = folder.write("alone.pem", pems[0]);
    EXPECT_THAT(complaint(check_certificate_key(other, alone)), HasSubstr("is not the private key"));
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
