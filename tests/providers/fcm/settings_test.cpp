#include "providers/fcm/settings.hpp"

#include "tests/engine/ops/credentials.hpp"
#include "tests/engine/ops/temporary_folder.hpp"

#include <boost/json/serialize.hpp>

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using ::testing::HasSubstr;

std::string complaint(const parsed<>& outcome) {
    return outcome.has_error() ? outcome.error().message : "";
}

class ServiceAccountTest : public ::testing::Test {
protected:
    static const std::string& rsa_pem() {
        static const std::string pem = testing::pem_of(testing::make_rsa_key(2048).get());
        return pem;
    }

    std::string account(const boost::json::object& document, const std::string& project = "") {
        return complaint(
            check_service_account(folder.write("account.json", boost::json::serialize(document)), project));
    }

    testing::temporary_folder folder;
};

TEST_F(ServiceAccountTest, CompleteServiceAccountIsTaken) {
    EXPECT_EQ(account(testing::make_service_account(rsa_pem())), "");
}

TEST_F(ServiceAccountTest, ServiceAccountNeedsEachMember) {
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

TEST_F(ServiceAccountTest, ServiceAccountWithAnUnusableKeyIsRefused) {
    EXPECT_THAT(account(testing::make_service_account("not a key")), HasSubstr("is not an RSA key in PEM"));
    EXPECT_THAT(
        account(testing::make_service_account(testing::pem_of(testing::make_ec_key().get()))),
        HasSubstr("is not an RSA key in PEM"));
    EXPECT_THAT(
        account(testing::make_service_account(testing::pem_of(testing::make_rsa_key(1024).get()))),
        HasSubstr("shorter than 2048 bits"));
}

TEST_F(ServiceAccountTest, TokensAreAskedForOverTlsOnly) {
    auto document = testing::make_service_account(rsa_pem());
    document["token_uri"] = "http://oauth2.googleapis.com/token";
    EXPECT_THAT(account(document), HasSubstr("must begin with https://"));
}

TEST_F(ServiceAccountTest, FileThatIsNoJsonObjectIsRefused) {
    for (const char* const text : {"", "[]", "{", "null", "-----BEGIN PRIVATE KEY-----"}) {
        EXPECT_THAT(
            complaint(check_service_account(folder.write("account.json", text), "")),
            HasSubstr("is not a JSON object"));
    }
}

TEST_F(ServiceAccountTest, WhatIsNoServiceAccountIsToldByItsKind) {
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

TEST_F(ServiceAccountTest, KeyWhoseLineBreaksWereEscapedAgainOrLostIsTaken) {
    for (const std::string between : {"\\n", "\\\\n", "\\r\\n", " ", "\r\n", "\n\n", ""}) {
        std::string pem;
        for (const char c : rsa_pem()) {
            pem += c == '\n' ? between : std::string(1, c);
        }
        EXPECT_EQ(account(testing::make_service_account(pem)), "") << between;
    }
}

TEST_F(ServiceAccountTest, ConfiguredProjectStandsInForTheFiles) {
    auto document = testing::make_service_account(rsa_pem());
    document.erase("project_id");
    EXPECT_EQ(account(document, "village-news"), "");
    EXPECT_THAT(account(document), HasSubstr("has no \"project_id\", and app.fcm.project_id names none"));
}

TEST_F(ServiceAccountTest, AccountOfAnotherUniverseIsRefused) {
    auto document = testing::make_service_account(rsa_pem());
    document["universe_domain"] = "googleapis.com";
    EXPECT_EQ(account(document), "");
    for (const boost::json::value& other : {boost::json::value("apis-s3ns.fr"), boost::json::value(7)}) {
        document["universe_domain"] = other;
        EXPECT_THAT(account(document), HasSubstr("universe_domain"));
    }
}

TEST_F(ServiceAccountTest, FileThatWasDamagedIsToldByItsLine) {
    const auto said = [&](std::string_view text) {
        return complaint(check_service_account(folder.write("account.json", text), ""));
    };
    EXPECT_THAT(said("{\n  \"type\": \"service_account\",\n  oops\n}\n"), HasSubstr("line 3 is no JSON"));
    const std::string good = boost::json::serialize(testing::make_service_account(rsa_pem()));
    EXPECT_EQ(said("\xEF\xBB\xBF" + good + "\n"), "");
    EXPECT_THAT(said(good + "\n{}"), HasSubstr("line 2 is no JSON"));
}

}  // namespace
}  // namespace tocsin
