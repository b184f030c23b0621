#include "providers/auth/service_account.hpp"

#include "tests/providers/auth/test_keys.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <gtest/gtest.h>

namespace tocsin::auth {
namespace {

boost::json::object good_file() {
    static const std::string pem = testing::test_key::rsa(2048).pem();
    return {
        {"type", "service_account"},
        {"project_id", "mairies"},
        {"private_key_id", "abc123"},
        {"private_key", pem},
        {"client_email", "push@mairies.iam.gserviceaccount.com"},
        {"client_id", "1"},
        {"auth_uri", "https://accounts.google.com/o/oauth2/auth"},
        {"token_uri", "https://oauth2.googleapis.com/token"},
        {"universe_domain", "googleapis.com"}};
}

TEST(ServiceAccount, IsReadAsTheConsoleWritesIt) {
    const auto account = parse_service_account(boost::json::serialize(good_file()));
    ASSERT_TRUE(account.has_value()) << account.error().message;
    EXPECT_EQ(account->project_id, "mairies");
    EXPECT_EQ(account->private_key_id, "abc123");
    EXPECT_EQ(account->client_email, "push@mairies.iam.gserviceaccount.com");
    EXPECT_EQ(account->token_uri, "https://oauth2.googleapis.com/token");
    EXPECT_EQ(account->token_endpoint.target, "/token");
    EXPECT_TRUE(account->signer.sign("x").has_value());
}

class ServiceAccountFieldTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ServiceAccountFieldTest, ThatIsMissingOrNoTextIsNamed) {
    for (const auto& wrong :
         {boost::json::value(), boost::json::value(7), boost::json::value(""), boost::json::value({1, 2})}) {
        auto file = good_file();
        file[GetParam()] = wrong;
        const auto account = parse_service_account(boost::json::serialize(file));
        ASSERT_TRUE(account.has_error());
        EXPECT_EQ(account.error().code, GetParam());
        EXPECT_NE(account.error().message.find(GetParam()), std::string::npos);
    }
    auto file = good_file();
    file.erase(GetParam());
    EXPECT_EQ(parse_service_account(boost::json::serialize(file)).error().code, GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Required, ServiceAccountFieldTest,
    ::testing::Values("type", "private_key_id", "private_key", "client_email", "token_uri"),
    [](const auto& test) { return std::string(test.param); });

TEST(ServiceAccount, ProjectMayBeMissingButNotWrong) {
    auto file = good_file();
    file["project_id"] = 7;
    EXPECT_EQ(parse_service_account(boost::json::serialize(file)).error().code, "project_id");
    file.erase("project_id");
    EXPECT_EQ(parse_service_account(boost::json::serialize(file)).value().project_id, "");
}

TEST(ServiceAccount, KeyThatWasEscapedTwiceSignsAsItself) {
    auto file = good_file();
    const std::string signature =
        parse_service_account(boost::json::serialize(file))->signer.sign("x").value();
    std::string escaped;
    for (const char c : std::string(file["private_key"].as_string())) {
        escaped += c == '\n' ? "\\n" : std::string(1, c);
    }
    file["private_key"] = escaped;
    const auto account = parse_service_account(boost::json::serialize(file));
    ASSERT_TRUE(account.has_value()) << account.error().message;
    EXPECT_EQ(account->signer.sign("x").value(), signature);
}

TEST(ServiceAccount, RefusesOtherKindsOfKeyFile) {
    auto file = good_file();
    file["type"] = "authorized_user";
    EXPECT_EQ(parse_service_account(boost::json::serialize(file)).error().code, "type");
    EXPECT_EQ(parse_service_account("").error().code, "json");
    EXPECT_EQ(parse_service_account("[]").error().code, "json");
    EXPECT_EQ(parse_service_account("-----BEGIN PRIVATE KEY-----").error().code, "json");
}

TEST(ServiceAccount, RefusesATokenUriInTheClear) {
    auto file = good_file();
    file["token_uri"] = "http://oauth2.googleapis.com/token";
    const auto account = parse_service_account(boost::json::serialize(file));
    ASSERT_TRUE(account.has_error());
    EXPECT_EQ(account.error().code, "token_uri");
}

TEST(ServiceAccount, RefusesAKeyThatIsNotRsaAndNeverShowsIt) {
    auto file = good_file();
    file["private_key"] = testing::test_key::p256().pem();
    const auto account = parse_service_account(boost::json::serialize(file));
    ASSERT_TRUE(account.has_error());
    EXPECT_EQ(account.error().code, "private_key");
    EXPECT_EQ(account.error().message.find("BEGIN"), std::string::npos);
}

}  // namespace
}  // namespace tocsin::auth
