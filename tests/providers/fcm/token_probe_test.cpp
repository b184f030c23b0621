#include "providers/fcm/token_probe.hpp"

#include "tests/engine/ops/temporary_folder.hpp"
#include "tests/providers/auth/test_keys.hpp"
#include "tests/providers/auth/token_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

using ::testing::HasSubstr;
using testing::token_server;

/// The probe blocks, so its token endpoint has a thread of its own.
class FcmTokenProbeTest : public ::testing::Test {
protected:
    ~FcmTokenProbeTest() override {
        if (thread.joinable()) {
            boost::asio::post(loop, [this] { endpoint.close(); });
            thread.join();
        }
    }
    fcm_settings settings(const std::string& token_uri) {
        fcm_settings out;
        out.service_account_file = folder.write(
            "account.json", boost::json::serialize(boost::json::object{
                                {"type", "service_account"},
                                {"project_id", "mairies"},
                                {"private_key_id", "abc123"},
                                {"private_key", testing::test_key::rsa(2048).pem()},
                                {"client_email", "push@mairies.iam.gserviceaccount.com"},
                                {"token_uri", token_uri}}));
        out.ca_file = folder.write("roots.pem", endpoint.certificate());
        return out;
    }
    handshake_report probe(token_server::answer answer) {
        endpoint.script(std::move(answer));
        const fcm_settings given = settings(endpoint.url());
        thread = std::jthread([this] { loop.run(); });
        return ask_for_token("dijon", given);
    }

    testing::temporary_folder folder;
    boost::asio::io_context loop{1};
    token_server endpoint{loop};
    std::jthread thread;
};

TEST_F(FcmTokenProbeTest, ATokenIsNoProblemAndItsEndpointIsNamed) {
    const handshake_report report = probe(token_server::grant("ya29.first", 3600));
    EXPECT_EQ(report.problem, "");
    EXPECT_EQ(report.peer, "dijon/fcm access token " + endpoint.url());
}

TEST_F(FcmTokenProbeTest, AnAccountThatIsRefusedIsAMistakeOfTheConfiguration) {
    const handshake_report report =
        probe({400, R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})", ""});
    EXPECT_NE(report.problem, "");
    EXPECT_TRUE(report.configuration);
}

TEST_F(FcmTokenProbeTest, AnEndpointInTroubleIsNone) {
    const handshake_report report = probe({503, "", ""});
    EXPECT_NE(report.problem, "");
    EXPECT_FALSE(report.configuration);
}

TEST_F(FcmTokenProbeTest, WhatIsWrongBeforeAnybodyIsAskedIsAMistakeOfTheConfiguration) {
    fcm_settings given = settings("https://localhost:1/token");
    given.ca_file = folder.write("empty.pem", "nothing");
    const handshake_report without_roots = ask_for_token("dijon", given);
    EXPECT_THAT(without_roots.problem, HasSubstr("empty.pem"));
    EXPECT_TRUE(without_roots.configuration);
    given.service_account_file = folder.write("account.json", "{}");
    const handshake_report no_account = ask_for_token("dijon", given);
    EXPECT_THAT(no_account.problem, HasSubstr("has no \"type\""));
    EXPECT_EQ(no_account.peer, "dijon/fcm access token");
    EXPECT_TRUE(no_account.configuration);
    given.service_account_file = (folder.path() / "none.json").string();
    EXPECT_THAT(ask_for_token("dijon", given).problem, HasSubstr("none.json"));
}

}  // namespace
}  // namespace tocsin::fcm
