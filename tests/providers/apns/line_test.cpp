#include "providers/apns/line.hpp"

#include "engine/core/text.hpp"
#include "engine/ops/metrics.hpp"
#include "providers/apns/reasons.hpp"
#include "providers/apns/renderer.hpp"
#include "tests/providers/auth/test_keys.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/recorded_source.hpp"
#include "tests/support/sample_event.hpp"

#include <list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::apns {
namespace {

using namespace std::chrono_literals;
using enum reaction;

class recorded_log final : public logger {
public:
    [[nodiscard]] bool enabled(log_level) const noexcept override { return true; }
    void write(log_level, std::string_view event, std::span<const log_field>) noexcept override {
        events.emplace_back(event);
    }
    std::vector<std::string> events;
};

class ApnsLineTest : public ::testing::Test {
protected:
    ApnsLineTest() {
        auto event = testing::flood_event();
        event.expires_at = time.wall_now() + 1h;
        content = renderer("dijon", "fr.example.dijon", false).render(event).value();
    }

    push& add(bool for_sandbox = false, const std::string& device = std::string(32, '\xAB')) {
        push& made = pushes.emplace_back();
        made.token = tokens.emplace_back(device);
        made.content = content.get();
        made.sandbox = for_sandbox;
        source.waiting.push_back(&made);
        return made;
    }

    [[nodiscard]] line_wiring wiring() { return {app, source, time, log, counters, health, &token}; }

    /// The fields of the next request; empty if there is none.
    std::map<std::string, std::string> next(line& from) {
        request.clear();
        std::map<std::string, std::string> out;
        if (from.next_request(connection, time.now(), request)) {
            for (std::size_t i = 0; i < request.field_count; ++i) {
                out.emplace(request.fields[i].name, request.fields[i].value);
            }
        }
        return out;
    }

    http2::connection_advice answer(line& to, int status, std::string_view body = "") {
        return answer(to, *static_cast<push*>(request.context), status, body);
    }
    http2::connection_advice answer(line& to, push& item, int status, std::string_view body) {
        http2::response said;
        said.context = &item;
        said.status = status;
        said.body = body;
        said.provider_id = "the-id";
        said.connection = connection;
        said.written_at = time.now();
        said.answered_at = time.now();
        return to.on_response(said);
    }

    const std::string app = "dijon";
    testing::manual_time time;
    recorded_log log;
    metrics all_metrics;
    metrics_shard& shard = all_metrics.add_shard();
    response_counters counters{shard, "dijon", platform::apns};
    credential_health health;
    auth::provider_token token{
        auth::es256_signer::from_pem(testing::test_key::p256().pem()).value(), "TEAM", "KEY", time, 1};
    testing::recorded_source source;
    std::shared_ptr<const rendered_message> content;
    std::list<push> pushes;
    std::list<std::string> tokens;
    http2::request request;
    std::uint64_t connection = 1;
    int production_wakes = 0;
    int sandbox_wakes = 0;
    line production{wiring(), "api.push.apple.com", false, [this] { ++production_wakes; }};
    line sandbox{wiring(), "api.sandbox.push.apple.com", true, [this] { ++sandbox_wakes; }};
};

TEST_F(ApnsLineTest, WritesTheRequestThatAppleAsksFor) {
    add();
    const auto fields = next(production);
    EXPECT_EQ(fields.at(":method"), "POST");
    EXPECT_EQ(fields.at(":scheme"), "https");
    EXPECT_EQ(fields.at(":authority"), "api.push.apple.com");
    std::string path = "/3/device/";
    for (int i = 0; i < 32; ++i) {
        path += "ab";
    }
    EXPECT_EQ(fields.at(":path"), path);
    EXPECT_EQ(fields.at("authorization"), token.slot().load()->authorization);
    EXPECT_EQ(fields.at("apns-topic"), "fr.example.dijon");
    EXPECT_EQ(fields.at("apns-push-type"), "alert");
    EXPECT_EQ(fields.at("apns-priority"), "10");
    EXPECT_EQ(fields.at("apns-collapse-id"), "crue-ouche");
    EXPECT_EQ(fields.at("apns-expiration"), content->headers().expiration);
    EXPECT_EQ(fields.at("apns-id").size(), 36U);
    EXPECT_EQ(request.body[0], content->body(0));
    EXPECT_EQ(production.in_flight(), 1U);
    // Pseudo-header fields first, and what differs from push to push or event to event kept out of the table.
    bool ordinary = false;
    for (std::size_t i = 0; i < request.field_count; ++i) {
        const auto& each = request.fields[i];
        EXPECT_FALSE(ordinary && each.name.starts_with(':'));
        ordinary = ordinary || !each.name.starts_with(':');
        const bool of_the_push = each.name == ":path" || each.name == "apns-id";
        const bool of_the_event = each.name == "apns-expiration" || each.name == "apns-collapse-id";
        EXPECT_EQ(each.how == http2::indexing::never, of_the_push || of_the_event) << each.name;
    }
}

TEST_F(ApnsLineTest, RepeatsAPushUnderTheSameId) {
    add();
    add();
    const auto first = next(production).at("apns-id");
    EXPECT_EQ(next(production).at("apns-id"), first);
    add(false, std::string(32, '\xCD'));
    EXPECT_NE(next(production).at("apns-id"), first);
}

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

TEST_F(ApnsLineTest, ACertificateNeedsNoAuthorization) {
    auto without = wiring();
    without.token = nullptr;
    line certified(without, "api.push.apple.com", false, [] {});
    add();
    EXPECT_FALSE(next(certified).contains("authorization"));
}

TEST_F(ApnsLineTest, HasNothingWhenTheSourceHasNothing) {
    EXPECT_TRUE(next(production).empty());
}

TEST_F(ApnsLineTest, SettlesASuccess) {
    push& item = add();
    next(production);
    EXPECT_EQ(answer(production, 200), http2::connection_advice::keep);
    ASSERT_EQ(source.verdicts.size(), 1U);
    EXPECT_EQ(source.verdicts[0].item, &item);
    EXPECT_EQ(source.verdicts[0].action, accept);
    EXPECT_EQ(source.verdicts[0].status, 200);
    EXPECT_EQ(source.verdicts[0].provider_id, "the-id");
    EXPECT_EQ(item.written_at, time.now());
    EXPECT_EQ(production.in_flight(), 0U);
    EXPECT_EQ(shard.counter(metric::provider_responses_total, {"dijon", "apns", "200", ""}).read(), 1U);
}

TEST_F(ApnsLineTest, SettlesARefusal) {
    add();
    next(production);
    EXPECT_EQ(
        answer(production, 410, R"({"reason":"Unregistered","timestamp":1763870000123})"),
        http2::connection_advice::keep);
    EXPECT_EQ(source.verdicts[0].action, drop_token);
    EXPECT_EQ(source.verdicts[0].reason, "Unregistered");
    EXPECT_EQ(source.verdicts[0].dead_since, wall_time(1'763'870'000'123ms));
    EXPECT_EQ(
        shard.counter(metric::provider_responses_total, {"dijon", "apns", "410", "Unregistered"}).read(), 1U);
}

TEST_F(ApnsLineTest, KeepsThreeKindsOfNotKnowingApart) {
    for (const auto why :
         {http2::failure::not_processed, http2::failure::unknown, http2::failure::timed_out}) {
        add();
        next(production);
        http2::failed_request failed;
        failed.context = request.context;
        failed.why = why;
        production.on_failure(failed);
    }
    ASSERT_EQ(source.verdicts.size(), 3U);
    EXPECT_EQ(source.verdicts[0].action, resend);
    EXPECT_EQ(source.verdicts[1].action, unknown);
    EXPECT_EQ(source.verdicts[1].reason, "ConnectionLost");
    EXPECT_EQ(source.verdicts[2].action, unknown);
    EXPECT_EQ(source.verdicts[2].reason, "Timeout");
    EXPECT_EQ(production.in_flight(), 0U);
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

TEST_F(ApnsLineTest, ATokenThatIsTooLongIsNotSent) {
    add(false, std::string(201, 'x'));
    add(false, "");
    push& good = add(false, std::string(200, 'x'));
    EXPECT_EQ(next(production).at(":path").size(), 10U + 400U);
    EXPECT_EQ(request.context, &good);
    ASSERT_EQ(source.verdicts.size(), 2U);
    EXPECT_EQ(source.verdicts[0].action, reject_push);
    EXPECT_EQ(source.verdicts[0].reason, "MalformedToken");
}

TEST_F(ApnsLineTest, EachEnvironmentGetsItsOwnPushes) {
    line::pair(production, sandbox);
    push& a = add(false);
    push& b = add(true);
    push& c = add(true);
    push& d = add(false);
    next(production);
    EXPECT_EQ(request.context, &a);
    next(production);
    EXPECT_EQ(request.context, &d);
    EXPECT_GE(sandbox_wakes, 1);
    EXPECT_EQ(next(sandbox).at(":authority"), "api.sandbox.push.apple.com");
    EXPECT_EQ(request.context, &b);
    next(sandbox);
    EXPECT_EQ(request.context, &c);
    EXPECT_TRUE(next(sandbox).empty());
    EXPECT_TRUE(source.verdicts.empty());
}

TEST_F(ApnsLineTest, WithoutAPartnerALineSendsBothEnvironments) {
    add(true);
    EXPECT_FALSE(next(production).empty());
}

TEST_F(ApnsLineTest, LooksForWorkWithoutWakingAPoolInVain) {
    line::pair(production, sandbox);
    add(true);
    EXPECT_FALSE(production.look_for_work(time.now()));
    sandbox.wake_if_filled();
    EXPECT_EQ(sandbox_wakes, 1);
    add(false);
    add(false);
    EXPECT_TRUE(production.look_for_work(time.now()));
    EXPECT_EQ(source.waiting.size(), 1U);  // One is enough to know.
    EXPECT_EQ(production.in_flight(), 1U);
}

TEST_F(ApnsLineTest, ProductionNeverWaitsForTheSandbox) {
    line::pair(production, sandbox);
    for (std::size_t i = 0; i < line::sandbox_queue_limit + 10; ++i) {
        add(true);
    }
    push& urgent = add(false);
    next(production);
    EXPECT_EQ(request.context, &urgent);
    ASSERT_EQ(source.verdicts.size(), 10U);
    EXPECT_EQ(source.verdicts[0].action, retry_elsewhere);
    EXPECT_EQ(source.verdicts[0].reason, "SandboxBusy");
    EXPECT_EQ(source.verdicts[0].retry_after, 5s);
    EXPECT_EQ(sandbox.in_flight(), line::sandbox_queue_limit);
}

TEST_F(ApnsLineTest, TheSandboxStopsDrawingWhenProductionHasEnough) {
    line::pair(production, sandbox);
    for (std::size_t i = 0; i < line::production_queue_limit + 10; ++i) {
        add(false);
    }
    EXPECT_TRUE(next(sandbox).empty());
    EXPECT_EQ(source.waiting.size(), 10U);
    EXPECT_TRUE(source.verdicts.empty());
}

TEST_F(ApnsLineTest, LookingForWorkStopsAtAFullSandbox) {
    line::pair(production, sandbox);
    for (std::size_t i = 0; i < line::sandbox_queue_limit + 10; ++i) {
        add(true);
    }
    // What comes behind may be for production: its pool has to ask.
    EXPECT_TRUE(production.look_for_work(time.now()));
    EXPECT_EQ(source.waiting.size(), 10U);
    EXPECT_TRUE(source.verdicts.empty());
}

TEST_F(ApnsLineTest, WhatExpiresInTheQueueGoesBack) {
    line::pair(production, sandbox);
    add(true);
    EXPECT_FALSE(production.look_for_work(time.now()));
    time.advance(1h);
    EXPECT_TRUE(next(sandbox).empty());
    ASSERT_EQ(source.verdicts.size(), 1U);
    EXPECT_EQ(source.verdicts[0].action, resend);
    EXPECT_EQ(sandbox.in_flight(), 0U);
}

TEST_F(ApnsLineTest, WhatExpiresGoesBackThoughNobodyDraws) {
    line::pair(production, sandbox);
    add(true);
    add(true);
    EXPECT_FALSE(production.look_for_work(time.now()));
    sandbox.drop_over(time.now());
    EXPECT_TRUE(source.verdicts.empty());
    EXPECT_EQ(sandbox.in_flight(), 2U);
    time.advance(1h);
    sandbox.drop_over(time.now());
    EXPECT_EQ(source.verdicts.size(), 2U);
    EXPECT_FALSE(sandbox.has_queued());
    EXPECT_TRUE(next(sandbox).empty());
}

TEST_F(ApnsLineTest, WhatIsCancelledInTheQueueGoesBackThoughNobodyDraws) {
    line::pair(production, sandbox);
    add(true);
    add(true);
    source.unwanted = source.waiting.back();
    EXPECT_FALSE(production.look_for_work(time.now()));
    sandbox.drop_over(time.now());
    ASSERT_EQ(source.verdicts.size(), 1U);
    EXPECT_EQ(source.verdicts[0].item, source.unwanted);
    EXPECT_EQ(source.verdicts[0].action, resend);
    EXPECT_EQ(sandbox.in_flight(), 1U);
}

TEST_F(ApnsLineTest, AKeyForProductionAloneDoesNotStopProduction) {
    line::pair(production, sandbox);
    add(true);
    next(sandbox);
    answer(sandbox, 403, R"({"reason":"BadEnvironmentKeyInToken"})");
    EXPECT_EQ(source.verdicts[0].action, reject_push);
    EXPECT_FALSE(health.problem().has_value());
    EXPECT_EQ(log.events.size(), 1U);
}

TEST_F(ApnsLineTest, IsUrgentWhenItsSourceIs) {
    EXPECT_FALSE(production.urgent());
    source.is_urgent = true;
    EXPECT_TRUE(production.urgent());
}

}  // namespace
}  // namespace tocsin::apns
