#include "tests/tools/simulator/simulator_fixture.hpp"
#include "tools/simulator/dead_token.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin::sim::testing {
namespace {

class FcmSimulatorTest : public SimulatorTest {
protected:
    plain_answer exchange(const std::string& body) {
        return https_post(running->ports().oauth, running->ca_file(), "/token", body);
    }
    static std::string error_of(const plain_answer& answer) {
        return std::string(json_of(answer.body).at("error").as_string());
    }
    static boost::json::value detail(const h2_answer& answer) {
        return json_of(answer.body).at("error").at("details").at(0);
    }
};

TEST_F(FcmSimulatorTest, AnAssertionBuysAnAccessTokenThatSends) {
    const auto answer = exchange(form(assertion()));
    ASSERT_EQ(answer.status, 200) << answer.body;
    const auto granted = json_of(answer.body);
    EXPECT_EQ(granted.at("token_type"), "Bearer");
    EXPECT_EQ(granted.at("expires_in"), 3599);
    const std::string token(granted.at("access_token").as_string());
    EXPECT_NEAR(static_cast<double>(token.size()), 1024, 3);

    h2_client client = fcm_client();
    const auto sent = client.ask(fcm_headers(token), fcm_body(fcm_device(1)));
    EXPECT_EQ(sent.status, 200);
    EXPECT_TRUE(
        std::string(json_of(sent.body).at("name").as_string()).starts_with("projects/mairies-app/messages/"));
    EXPECT_EQ(running->counts(provider::fcm, fcm_device(1)), (token_counts{1, 1}));
    EXPECT_EQ(stats("fcm").at("accepted_by_project").at("mairies-app"), 1);
    EXPECT_EQ(running->stats().at("oauth").at("issued"), 1);
}

TEST_F(FcmSimulatorTest, AnAssertionThatGoogleWouldRefuseIsRefused) {
    EXPECT_EQ(error_of(exchange("")), "invalid_request");
    EXPECT_EQ(error_of(exchange("grant_type=password&assertion=x")), "unsupported_grant_type");
    EXPECT_EQ(error_of(exchange(form("abc"))), "invalid_grant");
    EXPECT_EQ(error_of(exchange(form(assertion({{"iss", "someone@else"}})))), "invalid_grant");
    EXPECT_EQ(
        error_of(exchange(form(assertion({{"aud", "https://oauth2.googleapis.com/token"}})))),
        "invalid_grant");
    EXPECT_EQ(error_of(exchange(form(assertion({{"exp", time.seconds() + 3901}})))), "invalid_grant");
    EXPECT_EQ(error_of(exchange(form(assertion({{"iat", time.seconds() + 301}})))), "invalid_grant");
    EXPECT_EQ(
        error_of(exchange(form(assertion({{"scope", "https://www.googleapis.com/auth/drive"}})))),
        "invalid_scope");
    std::string forged = assertion();
    forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
    EXPECT_EQ(
        exchange(form(forged)).body,
        R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})");
    EXPECT_EQ(running->stats().at("oauth").at("issued"), 0);
    EXPECT_EQ(running->stats().at("oauth").at("refused"), 9);
}

TEST_F(FcmSimulatorTest, TheTokenEndpointCanBeMadeToFail) {
    change(R"({"oauth": {"fail_status": 503}})");
    EXPECT_EQ(exchange(form(assertion())).status, 503);
    change(R"({"oauth": {"fail_status": 0, "expires_in_s": 60}})");
    EXPECT_EQ(json_of(exchange(form(assertion())).body).at("expires_in"), 60);
}

TEST_F(FcmSimulatorTest, AccessTokensExpireAndCanBeRevoked) {
    const std::string token = access_token();
    h2_client client = fcm_client();
    EXPECT_EQ(client.ask(fcm_headers(token), fcm_body(fcm_device(1))).status, 200);
    change(R"({"now": [{"action": "revoke_tokens"}]})");
    const auto revoked = client.ask(fcm_headers(token), fcm_body(fcm_device(1)));
    EXPECT_EQ(revoked.status, 401);
    EXPECT_EQ(detail(revoked).at("reason"), "ACCESS_TOKEN_EXPIRED");
    time.advance(std::chrono::seconds(1));
    const std::string next = access_token();
    EXPECT_EQ(client.ask(fcm_headers(next), fcm_body(fcm_device(1))).status, 200);
    time.advance(std::chrono::seconds(3599));
    EXPECT_EQ(client.ask(fcm_headers(next), fcm_body(fcm_device(1))).status, 401);
}

TEST_F(FcmSimulatorTest, AccessTokensSurviveARestart) {
    const std::string token = access_token();
    stop();
    start(options);
    h2_client client = fcm_client();
    EXPECT_EQ(client.ask(fcm_headers(token), fcm_body(fcm_device(1))).status, 200);
}

TEST_F(FcmSimulatorTest, NobodyElsesTokenIsTaken) {
    h2_client client = fcm_client();
    const auto missing = client.ask(fcm_headers("", {{"authorization", ""}}), fcm_body(fcm_device(1)));
    EXPECT_EQ(missing.status, 401);
    EXPECT_EQ(detail(missing).at("reason"), "CREDENTIALS_MISSING");
    std::string forged = access_token();
    forged[20] = forged[20] == 'A' ? 'B' : 'A';
    const auto refused = client.ask(fcm_headers(forged), fcm_body(fcm_device(1)));
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(detail(refused).at("reason"), "ACCESS_TOKEN_TYPE_UNSUPPORTED");
    EXPECT_EQ(json_of(refused.body).at("error").at("status"), "UNAUTHENTICATED");
}

TEST_F(FcmSimulatorTest, PathAndProjectMustBeRight) {
    const std::string token = access_token();
    h2_client client = fcm_client();
    const auto ask = [&](const std::string& path) {
        return client.ask(fcm_headers(token, {{":path", path}}), fcm_body(fcm_device(1)));
    };
    EXPECT_EQ(ask("/v1/projects/mairies-app/messages%3Asend").status, 404);
    EXPECT_EQ(
        ask("/v1/projects/mairies-app/messages:send/").headers.at("content-type"),
        "text/html; charset=UTF-8");
    const auto other = ask("/v1/projects/another-app/messages:send");
    EXPECT_EQ(other.status, 403);
    EXPECT_EQ(detail(other).at("reason"), "IAM_PERMISSION_DENIED");
}

TEST_F(FcmSimulatorTest, EveryTokenOfOneTemplateIsCountedForItself) {
    const std::string token = access_token();
    h2_client client = fcm_client();
    for (unsigned i = 0; i < 5; ++i) {
        EXPECT_EQ(client.ask(fcm_headers(token), fcm_body(fcm_device(i))).status, 200);
    }
    EXPECT_EQ(client.ask(fcm_headers(token), fcm_body(fcm_device(3))).status, 200);
    EXPECT_EQ(running->totals(provider::fcm).tokens, 5U);
    EXPECT_EQ(running->counts(provider::fcm, fcm_device(3)), (token_counts{2, 2}));
    // The template is known to be good; a token that is not must still be refused.
    EXPECT_EQ(client.ask(fcm_headers(token), fcm_body("short")).status, 400);
    EXPECT_EQ(client.ask(fcm_headers(token), fcm_body("with a space in the middle of it")).status, 400);
}

TEST_F(FcmSimulatorTest, TheTokenIsTheMessagesOwnAndNotOneInItsData) {
    const std::string token = access_token();
    h2_client client = fcm_client();
    for (unsigned i = 0; i < 3; ++i) {
        const std::string body =
            R"({"message":{"data":{"token":"aaaaaaaaaaaaaaaaaaaaaaaa"},"token":")" + fcm_device(i) + R"("}})";
        EXPECT_EQ(client.ask(fcm_headers(token), body).status, 200);
        EXPECT_EQ(running->counts(provider::fcm, fcm_device(i)), (token_counts{1, 1}));
    }
    EXPECT_EQ(running->counts(provider::fcm, "aaaaaaaaaaaaaaaaaaaaaaaa"), token_counts{});
}

TEST_F(FcmSimulatorTest, ValidateOnlyIsAnsweredAndNotDelivered) {
    const std::string token = access_token();
    h2_client client = fcm_client();
    const std::string body = R"({"validate_only":true,"message":{"token":")" + fcm_device(1) + R"("}})";
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(client.ask(fcm_headers(token), body).status, 200);
    }
    EXPECT_EQ(running->counts(provider::fcm, fcm_device(1)), token_counts{});
    EXPECT_EQ(stats("fcm").at("validated"), 2);
    EXPECT_EQ(stats("fcm").at("accepted"), 0);
}

TEST_F(FcmSimulatorTest, ADeadTokenIsUnregistered) {
    change(R"({"seed": 11, "fcm": {"dead_share": 0.5}})");
    const std::string token = access_token();
    h2_client client = fcm_client();
    unsigned dead = 0;
    for (unsigned i = 0; i < 20; ++i) {
        const auto answer = client.ask(fcm_headers(token), fcm_body(fcm_device(i)));
        const bool expected = is_dead(fcm_device(i), 11, 0.5);
        EXPECT_EQ(answer.status, expected ? 404 : 200) << i;
        if (expected) {
            ++dead;
            EXPECT_EQ(detail(answer).at("errorCode"), "UNREGISTERED");
        }
    }
    EXPECT_EQ(stats("fcm").at("by_reason").at("UNREGISTERED"), dead);
}

TEST_F(FcmSimulatorTest, AnErrorShareCarriesItsRetryAfter) {
    change(R"({"fcm": {"errors": [{"reason": "QUOTA_EXCEEDED_PROJECT", "share": 1, "retry_after": 42}]}})");
    h2_client client = fcm_client();
    const auto answer = client.ask(fcm_headers(access_token()), fcm_body(fcm_device(1)));
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.headers.at("retry-after"), "42");
    EXPECT_EQ(detail(answer).at("metadata").at("quota_limit"), "SendsPerMinutePerProject");
    EXPECT_EQ(running->counts(provider::fcm, fcm_device(1)), (token_counts{1, 0}));
}

TEST_F(FcmSimulatorTest, TheHundredAndFirstStreamIsAConnectionError) {
    change(R"({"fcm": {"latency": {"fixed_ms": 1000}}})");
    const std::string token = access_token();
    h2_client client = fcm_client();
    ASSERT_TRUE(client.run_until([&] { return client.stream_limit() == 100U; }));
    client.send();
    for (unsigned i = 0; i < 101; ++i) {
        client.submit(fcm_headers(token), fcm_body(fcm_device(i)));
    }
    client.run_until([&] { return !client.goaways().empty(); });
    ASSERT_EQ(client.goaways().size(), 1U);
    EXPECT_EQ(client.goaways()[0].code, 1U);
    EXPECT_EQ(client.goaways()[0].debug, "exceeded_max_concurrent_streams");
    EXPECT_EQ(stats("fcm").at("stream_limit_violations"), 1);
    EXPECT_FALSE(client.run_until([] { return false; }));
    EXPECT_TRUE(client.ended());
}

TEST_F(FcmSimulatorTest, IdlePingsAreTooMany) {
    h2_client client = fcm_client();
    ASSERT_TRUE(client.run_until([&] { return client.stream_limit().has_value(); }));
    for (int i = 0; i < 3; ++i) {
        client.ping();
    }
    client.run_until([&] { return !client.goaways().empty(); });
    ASSERT_EQ(client.goaways().size(), 1U);
    EXPECT_EQ(client.goaways()[0].code, 11U);
    EXPECT_EQ(client.goaways()[0].debug, "too_many_pings");
}

}  // namespace
}  // namespace tocsin::sim::testing
