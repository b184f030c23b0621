#include "tests/tools/simulator/simulator_fixture.hpp"
#include "tools/simulator/dead_token.hpp"
#include "tools/simulator/pki.hpp"

#include <fstream>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace tocsin::sim::testing {
namespace {

class ApnsSimulatorTest : public SimulatorTest {
protected:
    h2_answer push(const std::map<std::string, std::string>& changes, const std::string& body = apns_body) {
        h2_client client = apns_client();
        return client.ask(apns_headers(apns_device(1), changes), body);
    }
    static std::string reason(const h2_answer& answer) {
        return answer.body.empty() ? "" : std::string(json_of(answer.body).at("reason").as_string());
    }
};

TEST_F(ApnsSimulatorTest, AcceptsAPushThatIsInOrderAndCountsIt) {
    h2_client client = apns_client();
    const std::string id = "123e4567-e89b-82d3-a456-426614174000";
    const auto answer = client.ask(apns_headers(apns_device(1), {{"apns-id", id}}), apns_body);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(answer.headers.at("apns-id"), id);
    EXPECT_EQ(running->counts(provider::apns, apns_device(1)), (token_counts{1, 1}));
    EXPECT_EQ(stats("apns").at("accepted"), 1);
    EXPECT_EQ(stats("apns").at("accepted_by_topic").at("fr.example.mairies"), 1);
    EXPECT_EQ(stats("sandbox").at("requests"), 0);
}

TEST_F(ApnsSimulatorTest, MakesAnIdWhenTheClientSendsNone) {
    const std::string id = push({}).headers.at("apns-id");
    EXPECT_EQ(id.size(), 36U);
    EXPECT_NE(push({}).headers.at("apns-id"), id);
}

TEST_F(ApnsSimulatorTest, CountsEveryRepeatOfATokenWhateverItsCase) {
    h2_client client = apns_client();
    const std::string upper = "ABCDEF00112233445566778899AABBCC";
    const std::string lower = "abcdef00112233445566778899aabbcc";
    client.ask(apns_headers(upper), apns_body);
    client.ask(apns_headers(lower), apns_body);
    client.ask(apns_headers(apns_device(2)), apns_body);
    EXPECT_EQ(running->counts(provider::apns, lower), (token_counts{2, 2}));
    EXPECT_EQ(running->totals(provider::apns).tokens, 2U);
    EXPECT_EQ(running->totals(provider::apns).accepted_twice, 1U);
}

TEST_F(ApnsSimulatorTest, ADeadTokenIsAnswered410WithItsTimestamp) {
    change(R"({"seed": 3, "apns": {"dead_share": 0.5, "dead_since": 1794999999000}})");
    h2_client client = apns_client();
    unsigned dead = 0;
    for (unsigned i = 0; i < 40; ++i) {
        const auto answer = client.ask(apns_headers(apns_device(i)), apns_body);
        const bool expected = is_dead(apns_device(i), 3, 0.5);
        EXPECT_EQ(answer.status, expected ? 410 : 200) << i;
        if (expected) {
            ++dead;
            EXPECT_EQ(answer.body, R"({"reason":"Unregistered","timestamp":1794999999000})");
            EXPECT_EQ(answer.headers.at("content-type"), "application/json");
        }
    }
    EXPECT_GT(dead, 5U);
    EXPECT_EQ(stats("apns").at("by_reason").at("Unregistered"), dead);
}

TEST_F(ApnsSimulatorTest, AListOfDeadTokensCanBeGiven) {
    change(R"({"apns": {"dead_tokens": [")" + apns_device(5) + R"("]}})");
    h2_client client = apns_client();
    const auto answer = client.ask(apns_headers(apns_device(5)), apns_body);
    EXPECT_EQ(answer.status, 410);
    EXPECT_EQ(json_of(answer.body).at("timestamp"), time.milliseconds());
    EXPECT_EQ(client.ask(apns_headers(apns_device(6)), apns_body).status, 200);
}

TEST_F(ApnsSimulatorTest, AllowsOneStreamUntilAValidTokenHasBeenAnswered) {
    h2_client client = apns_client();
    ASSERT_TRUE(client.run_until([&] { return client.stream_limit().has_value(); }));
    EXPECT_EQ(client.stream_limit(), 1U);
    EXPECT_EQ(
        client.ask(apns_headers(apns_device(1), {{"authorization", "bearer x"}}), apns_body).status, 403);
    EXPECT_EQ(client.stream_limit(), 1U);
    EXPECT_EQ(client.ask(apns_headers(apns_device(1)), apns_body).status, 200);
    ASSERT_TRUE(client.run_until([&] { return client.stream_limit() != 1U; }));
    EXPECT_EQ(client.stream_limit(), 1000U);
}

TEST_F(ApnsSimulatorTest, AStreamAboveTheLimitEndsTheConnectionInApplesWords) {
    change(R"({"apns": {"latency": {"fixed_ms": 1000}}})");
    h2_client client = apns_client();
    ASSERT_TRUE(client.run_until([&] { return client.stream_limit().has_value(); }));
    client.send();  // The acknowledgement: from here on the limit is known to be known.
    client.submit(apns_headers(apns_device(1)), apns_body);
    client.submit(apns_headers(apns_device(2)), apns_body);
    client.run_until([&] { return !client.goaways().empty(); });
    ASSERT_EQ(client.goaways().size(), 1U);
    EXPECT_EQ(client.goaways()[0].code, 7U);
    // Whether the first request was complete by then is the network's business.
    EXPECT_EQ(
        running->counts(provider::apns, apns_device(1)).accepted, client.goaways()[0].last == 1 ? 1U : 0U);
    EXPECT_EQ(client.goaways()[0].debug, "Maximum active streams violated for this endpoint.");
    EXPECT_EQ(stats("apns").at("stream_limit_violations"), 1);
    EXPECT_EQ(running->counts(provider::apns, apns_device(2)), token_counts{});
}

TEST_F(ApnsSimulatorTest, AStreamThatCrossesTheSettingsIsOnlyRefused) {
    h2_client client = apns_client();
    const auto first = client.submit(apns_headers(apns_device(1)), apns_body);
    const auto second = client.submit(apns_headers(apns_device(2)), apns_body);
    ASSERT_TRUE(
        client.run_until([&] { return client.answer(first).closed && client.answer(second).closed; }));
    EXPECT_EQ(stats("apns").at("stream_limit_violations"), 0);
    // Whether the first was answered before the second arrived is the network's business.
    EXPECT_EQ(client.answer(first).status, 200);
    EXPECT_TRUE(client.answer(second).status == 200 || client.answer(second).error == 7);
}

TEST_F(ApnsSimulatorTest, AnExpiredTokenIsRefusedAndANewOneIsNot) {
    const std::string token = "bearer " + provider_token();
    EXPECT_EQ(push({{"authorization", token}}).status, 200);
    time.advance(std::chrono::seconds(3601));
    const auto late = push({{"authorization", token}});
    EXPECT_EQ(late.status, 403);
    EXPECT_EQ(reason(late), "ExpiredProviderToken");
    EXPECT_EQ(push({}).status, 200);
}

TEST_F(ApnsSimulatorTest, AConnectionMayBeWedgedByAnExpiredToken) {
    change(R"({"apns": {"faults": {"wedge_after_expired_token": "internal"}}})");
    h2_client client = apns_client();
    const std::string old = "bearer " + provider_token(4000);
    EXPECT_EQ(client.ask(apns_headers(apns_device(1), {{"authorization", old}}), apns_body).status, 403);
    EXPECT_EQ(client.ask(apns_headers(apns_device(1)), apns_body).status, 500);
    EXPECT_EQ(push({}).status, 200);
}

TEST_F(ApnsSimulatorTest, AConnectionCanBeWedgedAtAnyTime) {
    h2_client client = apns_client();
    EXPECT_EQ(client.ask(apns_headers(apns_device(1)), apns_body).status, 200);
    change(R"({"apns": {"faults": {"wedge_after_expired_token": "internal"}},
               "now": [{"action": "wedge", "provider": "apns"}]})");
    EXPECT_EQ(client.ask(apns_headers(apns_device(1)), apns_body).status, 500);
    EXPECT_EQ(client.ask(apns_headers(apns_device(1)), apns_body).status, 500);
    EXPECT_EQ(push({}).status, 200);
}

TEST_F(ApnsSimulatorTest, ATokenThatChangesTooOftenIsRefused) {
    h2_client client = apns_client();
    const std::string first = "bearer " + provider_token(10);
    EXPECT_EQ(client.ask(apns_headers(apns_device(1), {{"authorization", first}}), apns_body).status, 200);
    const auto early = client.ask(apns_headers(apns_device(1)), apns_body);
    EXPECT_EQ(early.status, 429);
    EXPECT_EQ(reason(early), "TooManyProviderTokenUpdates");
    EXPECT_EQ(client.ask(apns_headers(apns_device(1), {{"authorization", first}}), apns_body).status, 200);
    time.advance(std::chrono::minutes(20));
    EXPECT_EQ(client.ask(apns_headers(apns_device(1)), apns_body).status, 200);
}

TEST_F(ApnsSimulatorTest, AVerifiedCertificateStandsForItsTopic) {
    const tls_client::identity shown{file("mairies-client.pem"), file("mairies-client-key.pem")};
    h2_client client(running->ports().apns, running->ca_file(), shown);
    ASSERT_TRUE(client.run_until([&] { return client.stream_limit().has_value(); }));
    EXPECT_EQ(client.stream_limit(), 1000U);
    const std::map<std::string, std::string> nothing{{"authorization", ""}, {"apns-topic", ""}};
    EXPECT_EQ(client.ask(apns_headers(apns_device(1), nothing), apns_body).status, 200);
    const auto other = client.ask(
        apns_headers(apns_device(1), {{"authorization", ""}, {"apns-topic", "fr.example.other"}}), apns_body);
    EXPECT_EQ(other.status, 400);
    EXPECT_EQ(reason(other), "TopicDisallowed");
}

TEST_F(ApnsSimulatorTest, ACertificateOfAnotherAuthorityIsNotLetIn) {
    const auto stranger = authority::create();
    const key_handle key = make_ec_key();
    std::ofstream(file("stranger-key.pem")) << to_pem(*key);
    std::ofstream(file("stranger.pem")) << to_pem(*stranger->issue_client(*key, "fr.example.mairies"));
    h2_client client(
        running->ports().apns, running->ca_file(),
        tls_client::identity{file("stranger.pem"), file("stranger-key.pem")});
    EXPECT_EQ(client.ask(apns_headers(apns_device(1)), apns_body).status, 0);
    EXPECT_EQ(stats("apns").at("handshakes_failed"), 1);
}

TEST_F(ApnsSimulatorTest, OnlyHttp2IsSpoken) {
    const tls_client client(running->ports().apns, running->ca_file(), "http/1.1");
    EXPECT_FALSE(client.connected());
}

TEST_F(ApnsSimulatorTest, ARepeatedHeaderIsNamed) {
    h2_client client = apns_client();
    header_list headers = apns_headers(apns_device(1));
    headers.emplace_back("apns-priority", "10");
    EXPECT_EQ(reason(client.ask(headers, apns_body)), "DuplicateHeaders");
}

TEST_F(ApnsSimulatorTest, SandboxIsAProviderOfItsOwn) {
    h2_client client(running->ports().sandbox, running->ca_file());
    EXPECT_EQ(client.ask(apns_headers(apns_device(1)), apns_body).status, 200);
    EXPECT_EQ(stats("sandbox").at("accepted"), 1);
    EXPECT_EQ(stats("apns").at("accepted"), 0);
}

struct refusal_case {
    std::string_view reason;
    int status;
    std::map<std::string, std::string> changes;
    std::string body = apns_body;
};
void PrintTo(const refusal_case& given, std::ostream* out) {
    *out << given.reason;
}

class ApnsRefusalTest : public ApnsSimulatorTest, public ::testing::WithParamInterface<refusal_case> {};

TEST_P(ApnsRefusalTest, HasApplesStatusAndReason) {
    const auto answer = push(GetParam().changes, GetParam().body);
    EXPECT_EQ(answer.status, GetParam().status);
    EXPECT_EQ(answer.body, fmt::format(R"({{"reason":"{}"}})", GetParam().reason));
    EXPECT_EQ(answer.headers.at("apns-id").size(), 36U);
    EXPECT_EQ(stats("apns").at("by_reason").at(GetParam().reason), 1);
    EXPECT_EQ(running->totals(provider::apns).tokens, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Checks, ApnsRefusalTest,
    ::testing::Values(
        refusal_case{"BadMessageId", 400, {{"apns-id", "not-a-uuid"}}},
        refusal_case{"MethodNotAllowed", 405, {{":method", "PUT"}}},
        refusal_case{"MissingTopic", 400, {{"apns-topic", ""}}},
        refusal_case{"BadCollapseId", 400, {{"apns-collapse-id", std::string(65, 'c')}}},
        refusal_case{"BadPriority", 400, {{"apns-priority", "7"}}},
        refusal_case{"InvalidPushType", 400, {{"apns-push-type", "loud"}}},
        refusal_case{"BadExpirationDate", 400, {{"apns-expiration", "tomorrow"}}},
        refusal_case{"BadTopic", 400, {{"apns-push-type", "voip"}}},
        refusal_case{"BadPath", 404, {{":path", "/3/devices/00"}}},
        refusal_case{"MissingDeviceToken", 400, {{":path", "/3/device/"}}},
        refusal_case{"BadDeviceToken", 400, {{":path", "/3/device/00112233445566778899aabbccddeefg"}}},
        refusal_case{"MissingProviderToken", 403, {{"authorization", ""}}},
        refusal_case{"InvalidProviderToken", 403, {{"apns-topic", "fr.example.unknown"}}},
        refusal_case{"PayloadEmpty", 400, {}, ""},
        refusal_case{"PayloadTooLarge", 413, {}, R"({"a":")" + std::string(4090, 'x') + "\"}"}),
    [](const auto& test) { return std::string(test.param.reason); });

TEST_F(ApnsSimulatorTest, TheLimitsThemselvesAreAllowed) {
    EXPECT_EQ(push({{"apns-collapse-id", std::string(64, 'c')}}).status, 200);
    EXPECT_EQ(push({}, R"({"a":")" + std::string(4088, 'x') + "\"}").status, 200);
    const std::map<std::string, std::string> voip{
        {"apns-push-type", "voip"}, {"apns-topic", "fr.example.mairies.voip"}};
    EXPECT_EQ(push(voip, R"({"a":")" + std::string(5112, 'x') + "\"}").status, 200);
}

TEST_F(ApnsSimulatorTest, ABackgroundPushNeedsPriorityFive) {
    EXPECT_EQ(reason(push({{"apns-push-type", "background"}})), "BadPriority");
    EXPECT_EQ(push({{"apns-push-type", "background"}, {"apns-priority", "5"}}).status, 200);
}

TEST_F(ApnsSimulatorTest, APayloadThatIsNotAnObjectIsRefusedEachTime) {
    EXPECT_EQ(push({}, "[]").status, 400);
    EXPECT_EQ(push({}, "[]").status, 400);
    EXPECT_EQ(push({}, "{").status, 400);
}

TEST_F(ApnsSimulatorTest, AForgedTokenIsRefused) {
    const std::string header = R"({"alg":"ES256","kid":"KEY1234567"})";
    const std::string claims = fmt::format(R"({{"iss":"ABCDE12345","iat":{}}})", time.seconds());
    const std::string key = read_text(file("AuthKey_KEY1234567.p8"));
    const auto with = [&](const std::string& jwt) {
        return reason(push({{"authorization", "bearer " + jwt}}));
    };

    EXPECT_EQ(with(sign_jwt(header, claims, key)), "");
    EXPECT_EQ(with(sign_jwt(header, claims, to_pem(*make_ec_key()))), "InvalidProviderToken");
    EXPECT_EQ(with(sign_jwt(R"({"alg":"ES256","kid":"KEY7654321"})", claims, key)), "InvalidProviderToken");
    EXPECT_EQ(with(sign_jwt(R"({"alg":"HS256","kid":"KEY1234567"})", claims, key)), "InvalidProviderToken");
    const std::string other_team = fmt::format(R"({{"iss":"OTHER12345","iat":{}}})", time.seconds());
    EXPECT_EQ(with(sign_jwt(header, other_team, key)), "InvalidProviderToken");
    const std::string text_time = fmt::format(R"({{"iss":"ABCDE12345","iat":"{}"}})", time.seconds());
    EXPECT_EQ(with(sign_jwt(header, text_time, key)), "InvalidProviderToken");
    EXPECT_EQ(with("a.b"), "InvalidProviderToken");
    EXPECT_EQ(reason(push({{"authorization", "basic abc"}})), "MissingProviderToken");
}

class ApnsKeysTest : public ApnsSimulatorTest {
protected:
    void SetUp() override {
        options.apps = default_apps();
        options.apps[1].team_id = options.apps[0].team_id;
        options.apps[1].topic_specific_key = true;
        app_options sandbox_only = options.apps[0];
        sandbox_only.id = "sandbox-only";
        sandbox_only.key_id = "KEYSANDBOX";
        sandbox_only.key_environment = "sandbox";
        options.apps.push_back(sandbox_only);
        start(options);
    }
    std::string bearer(const std::string& key_id) const {
        return "bearer " + sign_jwt(
                               fmt::format(R"({{"alg":"ES256","kid":"{}"}})", key_id),
                               fmt::format(R"({{"iss":"ABCDE12345","iat":{}}})", time.seconds()),
                               read_text(file("AuthKey_" + key_id + ".p8")));
    }
};

TEST_F(ApnsKeysTest, ATopicSpecificKeyIsForItsTopicAndItsConnectionOnly) {
    const std::string key = bearer("KEYDIJON21");
    EXPECT_EQ(push({{"authorization", key}, {"apns-topic", "fr.example.dijon"}}).status, 200);
    EXPECT_EQ(reason(push({{"authorization", key}})), "TopicDisallowed");
    h2_client client = apns_client();
    EXPECT_EQ(client.ask(apns_headers(apns_device(1)), apns_body).status, 200);
    const auto mixed = client.ask(apns_headers(apns_device(1), {{"authorization", key}}), apns_body);
    EXPECT_EQ(reason(mixed), "UnrelatedKeyIdInToken");
}

TEST_F(ApnsKeysTest, AKeyOfOneEnvironmentIsRefusedInTheOther) {
    const std::string key = bearer("KEYSANDBOX");
    EXPECT_EQ(reason(push({{"authorization", key}})), "BadEnvironmentKeyInToken");
    h2_client client(running->ports().sandbox, running->ca_file());
    EXPECT_EQ(client.ask(apns_headers(apns_device(1), {{"authorization", key}}), apns_body).status, 200);
}

}  // namespace
}  // namespace tocsin::sim::testing
