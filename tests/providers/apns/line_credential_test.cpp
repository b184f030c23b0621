#include "providers/apns/reasons.hpp"
#include "tests/providers/apns/line_fixture.hpp"

#include <set>
#include <string>
#include <vector>

namespace tocsin::apns {
namespace {

using namespace std::chrono_literals;
using enum reaction;

TEST_F(ApnsLineTest, TokenOfAClockThatWasSetIsNotSentAgain) {
    for (const auto step : {-2h, 2h}) {
        add();
        const auto before = next(production).at("authorization");
        answer(production, 403, R"({"reason":"InvalidProviderToken"})");
        EXPECT_EQ(source.verdicts.back().action, pause_app);
        time.set_wall(time.wall_now() + step);
        time.advance(1min);
        add();
        EXPECT_NE(next(production).at("authorization"), before);
        answer(production, 200);
    }
}

TEST_F(ApnsLineTest, InvalidTokenOfAClockThatHasJustBeenSetIsReplacedAndThePushRepeated) {
    add();
    const auto before = next(production).at("authorization");
    time.set_wall(time.wall_now() - 2h);
    answer(production, 403, R"({"reason":"InvalidProviderToken"})");
    EXPECT_EQ(source.verdicts.back().action, refresh_credential);
    add();
    EXPECT_NE(next(production).at("authorization"), before);
    answer(production, 403, R"({"reason":"InvalidProviderToken"})");
    EXPECT_EQ(source.verdicts.back().action, pause_app);
}

TEST_F(ApnsLineTest, WhatIsSaidOfAnEventsOwnTopicCostsNoConnectionAndIsNoWordOnTheCredential) {
    auto event = testing::flood_event();
    event.expires_at = time.wall_now() + 1h;
    event.overrides[platform::apns] = {{"headers", {{"apns-topic", "fr.example.typo"}}}};
    const auto mistyped = renderer("dijon", "fr.example.dijon", false).render(event).value();
    std::set<std::string_view> about_topic;
    for (const reason_row& row : reason_table()) {
        if (row.action != pause_app) {
            continue;
        }
        SCOPED_TRACE(row.reason);
        health.clear();
        add().content = mistyped.get();
        next(production);
        const auto advice =
            answer(production, row.status, R"({"reason":")" + std::string(row.reason) + R"("})");
        EXPECT_EQ(source.verdicts.back().about_topic, row.about_topic);
        EXPECT_NE(health.problem().has_value(), row.about_topic);
        if (row.about_topic) {
            about_topic.insert(row.reason);
            EXPECT_EQ(advice, http2::connection_advice::doubt);
        }
        // The same word on what the app sends by itself.
        health.clear();
        add();
        next(production);
        EXPECT_EQ(
            answer(production, row.status, R"({"reason":")" + std::string(row.reason) + R"("})") ==
                http2::connection_advice::drain,
            row.connection == http2::connection_advice::drain);
        EXPECT_TRUE(health.problem().has_value());
    }
    EXPECT_EQ(
        about_topic,
        (std::set<std::string_view>{"BadTopic", "InvalidProviderToken", "MissingTopic", "TopicDisallowed"}));
}

TEST_F(ApnsLineTest, ACertificateNeedsNoAuthorization) {
    auto without = wiring();
    without.token = nullptr;
    line certified(without, "api.push.apple.com", false, [] {});
    add();
    EXPECT_FALSE(next(certified).contains("authorization"));
}

TEST_F(ApnsLineTest, AnExpiredTokenIsRenewedOnAConnectionOfItsOwn) {
    add();
    const std::string before = next(production).at("authorization");
    time.advance(25min);
    EXPECT_EQ(
        answer(production, 403, R"({"reason":"ExpiredProviderToken"})"), http2::connection_advice::drain);
    EXPECT_EQ(source.verdicts[0].action, refresh_credential);
    add();
    EXPECT_NE(next(production).at("authorization"), before);
    EXPECT_FALSE(health.problem().has_value());
}

TEST_F(ApnsLineTest, AYoungTokenThatIsCalledExpiredPausesTheAppAndNamesTheClock) {
    add();
    next(production);
    time.advance(30s);
    answer(production, 403, R"({"reason":"ExpiredProviderToken"})");
    EXPECT_EQ(source.verdicts[0].action, pause_app);
    ASSERT_TRUE(health.problem().has_value());
    EXPECT_NE(health.problem()->find("clock"), std::string::npos);
    EXPECT_EQ(log.events, std::vector<std::string>{"apns.credential_refused"});
}

TEST_F(ApnsLineTest, ABadCredentialIsToldOnceAndForgottenAfterASuccess) {
    for (int i = 0; i < 5; ++i) {
        add();
        next(production);
        answer(production, 403, R"({"reason":"InvalidProviderToken"})");
    }
    EXPECT_EQ(source.verdicts[4].action, pause_app);
    EXPECT_EQ(log.events.size(), 1U);
    EXPECT_TRUE(health.problem().has_value());
    add();
    next(production);
    answer(production, 200);
    EXPECT_FALSE(health.problem().has_value());
}

TEST_F(ApnsLineTest, AnUnrelatedKeyIsAnOldConnectionUntilASecondOneSaysSo) {
    const std::string_view body = R"({"reason":"UnrelatedKeyIdInToken"})";
    for (int i = 0; i < 3; ++i) {
        add();
        next(production);
        EXPECT_EQ(answer(production, 403, body), http2::connection_advice::drain);
        EXPECT_EQ(source.verdicts.back().action, retry_elsewhere);
    }
    connection = 2;
    add();
    next(production);
    answer(production, 403, body);
    EXPECT_EQ(source.verdicts.back().action, pause_app);
}

TEST_F(ApnsLineTest, AnUnknownRefusalIsAComplaintAboutTheCredential) {
    add();
    next(production);
    answer(production, 403, R"({"reason":"InventedNextYear"})");
    EXPECT_EQ(source.verdicts.back().action, pause_app);
}

TEST_F(ApnsLineTest, EveryReasonOfACredentialIsARefusalOfItInGoAwayAndNoOtherIs) {
    http2::peer_word said;
    said.what = http2::peer_word::kind::going_away;
    for (const reason_row& row : reason_table()) {
        if (row.action == refresh_credential) {
            continue;
        }
        source.refused.clear();
        health.clear();
        const std::string text = R"({"reason":")" + std::string(row.reason) + R"("})";
        said.text = text;
        production.on_peer_word(said);
        const bool is_one = row.action == pause_app;
        EXPECT_EQ(health.problem().has_value(), is_one) << text;
        EXPECT_EQ(source.refused, std::vector<std::string>(is_one ? 1 : 0, std::string(row.reason)));
        if (is_one) {
            EXPECT_TRUE(health.problem()->starts_with(row.meaning)) << *health.problem();
        }
    }
    source.refused.clear();
    for (const char* const text : {"", "<html>", "{", "[]", "{}", R"({"reason":7})", R"({"reason":""})"}) {
        said.text = text;
        production.on_peer_word(said);
        EXPECT_TRUE(source.refused.empty()) << text;
    }
}

TEST_F(ApnsLineTest, EveryAlertAboutOurCertificateIsARefusalOfItAndNoOtherIs) {
    // RFC 8446, section 6: bad, unsupported, revoked, expired, unknown certificate; unknown CA, access
    // denied, certificate required.
    const std::set<std::uint32_t> ours{42, 43, 44, 45, 46, 48, 49, 116};
    http2::peer_word said;
    said.what = http2::peer_word::kind::tls_alert;
    said.text = "tlsv1 alert";
    for (std::uint32_t code = 0; code < 256; ++code) {
        source.refused.clear();
        health.clear();
        said.code = code;
        production.on_peer_word(said);
        const bool is_one = ours.contains(code);
        EXPECT_EQ(health.problem().has_value(), is_one) << code;
        EXPECT_EQ(source.refused, std::vector<std::string>(is_one ? 1 : 0, "BadCertificate")) << code;
    }
    said.what = http2::peer_word::kind::going_away;
    said.code = 42;
    said.text = {};
    source.refused.clear();
    production.on_peer_word(said);
    EXPECT_TRUE(source.refused.empty()) << "a number of HTTP/2 is no alert";
}

TEST_F(ApnsLineTest, ATokenThatGoAwayCallsExpiredIsRenewedAndTheOtherConnectionsOfItSayNothingNew) {
    std::string before;
    for (connection = 1; connection <= 5; ++connection) {
        add();
        before = next(production).at("authorization");
    }
    time.advance(25min);
    http2::peer_word said;
    said.text = R"({"reason":"ExpiredProviderToken"})";
    for (said.connection = 1; said.connection <= 5; ++said.connection) {
        production.on_peer_word(said);
        EXPECT_FALSE(health.problem().has_value()) << said.connection;
    }
    EXPECT_TRUE(source.refused.empty());
    EXPECT_TRUE(log.events.empty());
    add();
    EXPECT_NE(next(production).at("authorization"), before);
    time.advance(10s);
    // Late, but of a connection that carried the older token.
    said.connection = 5;
    production.on_peer_word(said);
    EXPECT_TRUE(source.refused.empty());
    // One that never carried another than the new one: it is the clock.
    said.connection = 6;
    production.on_peer_word(said);
    EXPECT_EQ(source.refused, std::vector<std::string>{"ExpiredProviderToken"});
    ASSERT_TRUE(health.problem().has_value());
    EXPECT_NE(health.problem()->find("clock"), std::string::npos);
}

TEST_F(ApnsLineTest, WithoutATokenOfItsOwnALineCannotRenewWhatGoAwayCallsExpired) {
    line_wiring how = wiring();
    how.token = nullptr;
    line with_certificate{how, "api.push.apple.com", false, [] {}};
    http2::peer_word said;
    said.text = R"({"reason":"ExpiredProviderToken"})";
    with_certificate.on_peer_word(said);
    EXPECT_EQ(source.refused, std::vector<std::string>{"ExpiredProviderToken"});
}

TEST_F(ApnsLineTest, TooManyTokenUpdatesGoBackToTheTokenThatTheConnectionKnows) {
    add();
    const std::string first = next(production).at("authorization");
    time.advance(30min);
    answer(production, 403, R"({"reason":"ExpiredProviderToken"})");
    add();
    next(production);
    EXPECT_EQ(
        answer(production, 429, R"({"reason":"TooManyProviderTokenUpdates"})"),
        http2::connection_advice::doubt);
    EXPECT_EQ(source.verdicts.back().action, pause_app);
    add();
    EXPECT_EQ(next(production).at("authorization"), first);
}

TEST_F(ApnsLineTest, OnlyWhatIsTakenOrJudgedInApplesWordsShowsThatTheServiceWorks) {
    using enum http2::connection_advice;
    const auto say = [this](int status, std::string_view body) {
        add();
        next(production);
        return answer(production, status, body);
    };
    EXPECT_EQ(say(200, ""), keep);
    EXPECT_EQ(say(400, R"({"reason":"BadDeviceToken"})"), keep);
    EXPECT_EQ(say(429, R"({"reason":"TooManyRequests"})"), keep);
    EXPECT_EQ(say(413, R"({"reason":"PayloadTooLarge"})"), keep);
    EXPECT_EQ(say(503, R"({"reason":"ServiceUnavailable"})"), doubt);
    EXPECT_EQ(say(404, "<html>"), drain) << "who says that is not Apple";
    EXPECT_EQ(say(200, "<html>"), drain);
    EXPECT_EQ(say(400, R"({"reason":"BadTopic"})"), doubt);
    EXPECT_EQ(say(500, R"({"reason":"InternalServerError"})"), drain);
}

}  // namespace
}  // namespace tocsin::apns
