#include "providers/auth/service_account_file.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

json::object good_file() {
    return {
        {"type", "service_account"},
        {"project_id", "mairies"},
        {"private_key_id", "abc123"},
        {"private_key", "a key"},
        {"client_email", "push@mairies.iam.gserviceaccount.com"},
        {"token_uri", "https://oauth2.googleapis.com/token"}};
}

refusal refused(std::string_view contents) {
    const auto read = read_service_account_file(contents);
    return read.has_error() ? read.error() : refusal{"", ""};
}
refusal refused(const json::object& file) {
    return refused(json::serialize(file));
}

TEST(ServiceAccountFile, EachMemberGoesToItsOwnPlace) {
    const auto read = read_service_account_file(json::serialize(good_file()));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->project_id, "mairies");
    EXPECT_EQ(read->private_key_id, "abc123");
    EXPECT_EQ(read->private_key, "a key");
    EXPECT_EQ(read->client_email, "push@mairies.iam.gserviceaccount.com");
    EXPECT_EQ(read->token_uri, "https://oauth2.googleapis.com/token");
}

TEST(ServiceAccountFile, AMemberThatIsMissingEmptyOrNoTextIsNamed) {
    for (const char* const name :
         {"type", "client_email", "private_key_id", "private_key", "token_uri", "project_id"}) {
        for (const json::value& wrong : {json::value(""), json::value(7), json::value(nullptr)}) {
            json::object file = good_file();
            file[name] = wrong;
            EXPECT_EQ(refused(file).code, name);
            EXPECT_THAT(refused(file).message, HasSubstr("\" that is a text"));
        }
        json::object file = good_file();
        file.erase(name);
        const bool may_be_missing = std::string_view(name) == "project_id";
        EXPECT_EQ(refused(file).code, may_be_missing ? "" : name);
    }
}

TEST(ServiceAccountFile, AFileOfTheSameConsolesIsToldByAMemberThatItAloneHas) {
    struct row {
        std::string_view member;
        std::string_view meaning;
    };
    for (const row& one : std::vector<row>{
             {"installed", "an OAuth client's secret"},
             {"web", "an OAuth client's secret"},
             {"project_info", "google-services.json"},
             {"apiKey", "the web app's configuration"},
             {"subject_token_type", "workload identity federation"},
             {"refresh_token", "a person's sign-in"}}) {
        EXPECT_EQ(refused({{one.member, "x"}}).code, "type") << one.member;
        EXPECT_THAT(refused({{one.member, "x"}}).message, HasSubstr(std::string(one.meaning)));
        json::object beside = good_file();
        beside[one.member] = "x";
        EXPECT_EQ(refused(beside).code, "") << "a type goes before what else the file has: " << one.member;
    }
    EXPECT_THAT(refused(json::object()).message, HasSubstr("has no \"type\""));
}

TEST(ServiceAccountFile, ATypeThatNobodyKnowsIsShownInPartAndVisibly) {
    EXPECT_THAT(
        refused({{"type", "external_account"}}).message,
        HasSubstr("is of type \"external_account\" (workload identity federation"));
    const std::string strange = refused({{"type", "a\n" + std::string(100, 'x') + "end"}}).message;
    EXPECT_THAT(strange, HasSubstr("xxx\", must be \"service_account\""));
    EXPECT_THAT(strange, Not(HasSubstr("\n")));
    EXPECT_THAT(strange, Not(HasSubstr("end")));
}

TEST(ServiceAccountFile, OnlyGooglesOwnUniverseHasFcm) {
    json::object file = good_file();
    for (const json::value& fine : {json::value("googleapis.com"), json::value(nullptr)}) {
        file["universe_domain"] = fine;
        EXPECT_EQ(refused(file).code, "");
    }
    for (const json::value& other :
         {json::value("apis-s3ns.fr"), json::value(""), json::value("googleapis.com.fr"), json::value(7)}) {
        file["universe_domain"] = other;
        EXPECT_EQ(refused(file).code, "universe_domain") << other;
    }
}

TEST(ServiceAccountFile, WhatIsNoJsonIsToldByItsLine) {
    const std::string good = json::serialize(good_file());
    struct row {
        std::string given;
        std::string_view says;
    };
    for (const row& one : std::vector<row>{
             {"", "it is empty"},
             {" \t\r\n", "it is empty"},
             {"\xEF\xBB\xBF", "it is empty"},
             {"[]", "is not a JSON object;"},
             {"x", "line 1 is no JSON"},
             {"{\n\"type\": oops}", "line 2 is no JSON"},
             {"{\n\"type\":\n", "line 3 is no JSON"},
             {good + "\n\n{}", "line 3 is no JSON"}}) {
        EXPECT_EQ(refused(one.given).code, "json") << one.given;
        EXPECT_THAT(refused(one.given).message, HasSubstr(std::string(one.says))) << one.given;
    }
    EXPECT_EQ(refused("\xEF\xBB\xBF" + good + "\r\n\t ").code, "") << "a mark before it, and lines behind";
}

TEST(ServiceAccountFile, NothingOfTheKeyIsShown) {
    json::object file = good_file();
    file["private_key"] = "SECRET";
    for (const char* const name : {"client_email", "private_key_id", "token_uri", "project_id"}) {
        json::object wrong = file;
        wrong[name] = 7;
        EXPECT_THAT(refused(wrong).message, Not(HasSubstr("SECRET")));
    }
}

}  // namespace
}  // namespace tocsin
