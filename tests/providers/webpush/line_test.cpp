#include "providers/webpush/line.hpp"

#include "engine/core/text.hpp"
#include "engine/event/subscription.hpp"
#include "engine/ops/metrics.hpp"
#include "providers/http2/dial_gate.hpp"
#include "providers/http2/error.hpp"
#include "providers/http2/turns.hpp"
#include "providers/webpush/renderer.hpp"
#include "tests/providers/auth/test_keys.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/recorded_source.hpp"
#include "tests/support/sample_event.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <list>
#include <map>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::webpush {
namespace {

using namespace std::chrono_literals;
using enum reaction;

auth::es256_signer signer() {
    return auth::es256_signer::from_pem(testing::test_key::p256().pem()).value();
}

class WebPushLineTest : public ::testing::Test, private line_owner {
protected:
    void refill(line& whose, time_point now) noexcept override {
        while (push* const item = source.take(now)) {
            whose.add(*item, source.urgent(), now);
        }
    }
    bool may_encrypt(line&) noexcept override { return allowance != 0 && allowance-- != 0; }
    std::size_t coming(const line&, duration) const noexcept override { return in_source; }

    push& add() {
        push& made = pushes.emplace_back();
        made.token = "https://push.example.org/send/a?b=c";
        made.keys = keys;
        made.content = content.get();
        source.waiting.push_back(&made);
        return made;
    }

    std::map<std::string, std::string> next() {
        request.clear();
        std::map<std::string, std::string> out;
        if (subject.next_request(1, time.now(), request)) {
            for (std::size_t i = 0; i < request.field_count; ++i) {
                out.emplace(request.fields[i].name, request.fields[i].value);
            }
            sent.push_back(request.context);
        }
        return out;
    }

    http2::connection_advice answer(
        int status, std::string_view retry_after = "", std::string_view body = "") {
        http2::response said;
        said.context = sent.front();
        sent.pop_front();
        said.status = status;
        said.body = body;
        said.retry_after = retry_after;
        said.written_at = said.answered_at = time.now();
        return subject.on_response(said);
    }

    http2::connection_advice exchange(
        int status, std::string_view retry_after = "", std::string_view body = "") {
        add();
        EXPECT_FALSE(next().empty());
        return answer(status, retry_after, body);
    }

    /// Whether the line has asked to be asked since the last look.
    bool asks() {
        loop.restart();
        return loop.poll() != 0;
    }

    [[nodiscard]] const testing::recorded_source::settled& last() const { return source.verdicts.back(); }

    const std::string app = "dijon";
    const std::string keys =
        read_subscription_keys(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg")
            .value();
    testing::manual_time time;
    null_logger log;
    metrics all_metrics;
    metrics_shard& shard = all_metrics.add_shard();
    response_counters counters{shard, "dijon", platform::webpush};
    credential_health health;
    testing::recorded_source source;
    vapid_tokens tokens{signer(), "BPublic", "mailto:dsi@example.fr"};
    encryptor cipher{encryptor::create().value()};
    body_store bodies;
    std::size_t allowance = 1'000'000;
    std::size_t in_source = 0;
    std::shared_ptr<const rendered_message> content =
        renderer("dijon", "https://www.example.fr/").render(testing::flood_event()).value();
    std::list<push> pushes;
    std::list<void*> sent;
    http2::request request;
    boost::asio::io_context loop{1};
    // It dials nobody.
    http2::pool pool{
        loop.get_executor(),
        {"push.example.org", 443},
        nullptr,
        {},
        {std::make_shared<http2::turns>(loop.get_executor(), time), std::make_shared<http2::dial_gate>(0)},
        time,
        log,
        1};
    line_wiring wiring{app, source, time, log, counters, health, tokens, cipher, bodies, *this};
    line subject{wiring, pool, "https://push.example.org", "push.example.org"};
};

TEST_F(WebPushLineTest, ARequestHasWhatTheRfcsWant) {
    add();
    auto fields = next();
    EXPECT_EQ(fields[":method"], "POST");
    EXPECT_EQ(fields[":scheme"], "https");
    EXPECT_EQ(fields[":authority"], "push.example.org");
    EXPECT_EQ(fields[":path"], "/send/a?b=c");
    EXPECT_EQ(fields["content-encoding"], "aes128gcm");
    EXPECT_EQ(fields["urgency"], "high");
    EXPECT_EQ(fields["topic"], "crue-ouche");
    EXPECT_TRUE(fields["authorization"].starts_with("vapid t="));
    EXPECT_EQ(std::stoll(fields["ttl"]), content->ttl(time.wall_now()).count());
    EXPECT_EQ(request.body_size(), body_size(content->text(0).size()));
    EXPECT_EQ(subject.in_flight(), 1U);
}

TEST_F(WebPushLineTest, EveryRequestToAServiceCarriesTheSameToken) {
    add();
    const std::string first = next()["authorization"];
    time.advance(1h);
    add();
    EXPECT_EQ(next()["authorization"], first);
}

TEST_F(WebPushLineTest, AnAnswerSettlesItsPush) {
    exchange(201);
    EXPECT_EQ(last().action, accept);
    exchange(410);
    EXPECT_EQ(last().action, drop_token);
    exchange(307);
    EXPECT_EQ(last().action, reject_push);
    EXPECT_EQ(subject.in_flight(), 0U);
}

TEST_F(WebPushLineTest, EncryptsNoMoreThanItsTurnAllows) {
    allowance = 2;
    add();
    add();
    add();
    EXPECT_FALSE(next().empty());
    EXPECT_FALSE(next().empty());
    EXPECT_TRUE(next().empty());
    EXPECT_EQ(subject.waiting(), 1U);
    allowance = 1;
    EXPECT_FALSE(next().empty());
}

TEST_F(WebPushLineTest, WhatWaitsAndWhatIsComingIsTold) {
    EXPECT_EQ(subject.backlog(100ms), 0U);
    push& first = add();
    source.waiting.clear();
    subject.add(first, false, time.now());
    EXPECT_EQ(subject.backlog(100ms), 1U);
    in_source = 300;
    EXPECT_EQ(subject.backlog(100ms), 301U);
}

TEST_F(WebPushLineTest, NoConnectionsAreAskedForBeyondWhatOneThreadEncrypts) {
    in_source = 1'000'000;
    EXPECT_LT(subject.backlog(100ms), 5'000U);
    EXPECT_LT(subject.backlog(1ms), 50U);
}

TEST_F(WebPushLineTest, AServiceThatIsLeftAloneNeedsNoConnections) {
    in_source = 300;
    for (std::uint32_t i = 0; i < service_state::refusals_to_pause; ++i) {
        exchange(503, "30");
    }
    EXPECT_EQ(subject.backlog(100ms), 0U);
    time.advance(30s);
    EXPECT_EQ(subject.backlog(100ms), 1U) << "two probes fit on one";
}

TEST_F(WebPushLineTest, OneConnectionFindsOutWhetherAServiceCanBeReachedAgain) {
    in_source = 300;
    subject.on_dial_failed(http2::http2_errc::connection_lost);
    EXPECT_EQ(subject.backlog(100ms), 1U);
}

TEST_F(WebPushLineTest, WhatIsCriticalIsFetchedThoughOthersWait) {
    push& newsletter = add();
    source.waiting.clear();
    subject.add(newsletter, false, time.now());
    push& alert = add();
    source.is_urgent = true;
    EXPECT_FALSE(next().empty());
    EXPECT_EQ(static_cast<sent_message*>(sent.back())->item, &alert);
    source.is_urgent = false;
    EXPECT_FALSE(next().empty());
    EXPECT_EQ(static_cast<sent_message*>(sent.back())->item, &newsletter);
}

TEST_F(WebPushLineTest, ASlowServiceIsNotSentMoreThanItAnswersInTime) {
    exchange(201);
    for (int i = 0; i < 450; ++i) {
        add();
        ASSERT_FALSE(next().empty()) << "it is quick so far";
    }
    for (int i = 0; i < 240; ++i) {
        http2::response late;
        late.context = sent.front();
        sent.pop_front();
        late.status = 201;
        late.written_at = time.now();
        late.answered_at = time.now() + 10s;
        static_cast<void>(subject.on_response(late));
    }
    add();
    EXPECT_TRUE(next().empty()) << "210 are under way, and each takes ten seconds";
    for (int i = 0; i < 100; ++i) {
        answer(201);
    }
    EXPECT_FALSE(next().empty()) << "it is quick again";
}

TEST_F(WebPushLineTest, WhatATurnedAwayServiceIsOwedGoesBackUnchargedAndItIsProbedLater) {
    for (std::uint32_t i = 0; i < service_state::refusals_to_pause; ++i) {
        exchange(503, "30");
        EXPECT_EQ(last().action, i + 1 < service_state::refusals_to_pause ? retry_here : resend);
        EXPECT_EQ(last().retry_after, 30s);
    }
    add();
    EXPECT_TRUE(next().empty());
    push& late = pushes.back();
    source.waiting.clear();
    subject.add(late, false, time.now());
    EXPECT_EQ(last().action, resend);
    EXPECT_EQ(last().reason, service_left_alone);
    EXPECT_EQ(last().retry_after, 30s);
    time.advance(30s);
    for (int i = 0; i < 4; ++i) {
        add();
    }
    EXPECT_FALSE(next().empty());
    EXPECT_FALSE(next().empty());
    EXPECT_TRUE(next().empty()) << "two probes, and no more";
    answer(201);
    EXPECT_FALSE(next().empty());
    EXPECT_FALSE(next().empty());
}

TEST_F(WebPushLineTest, AServiceThatAPageIsShownInPlaceOfIsLeftAloneLikeABrokenOne) {
    for (const int status : {200, 201, 404, 410}) {
        EXPECT_EQ(exchange(status, "", "<html>Please log in</html>"), http2::connection_advice::doubt);
        EXPECT_EQ(last().action, retry_here) << status;
        EXPECT_EQ(last().reason, "WebPage") << status;
    }
    time.advance(service_state::trouble_to_believe);
    exchange(404, "", "<html>");
    EXPECT_EQ(last().action, resend) << "its pushes wait at no charge";
    EXPECT_EQ(last().reason, "WebPage");
    add();
    EXPECT_TRUE(next().empty());
    time.advance(1s);
    EXPECT_FALSE(next().empty());
    EXPECT_EQ(answer(201), http2::connection_advice::keep);
    EXPECT_EQ(last().action, accept);
}

TEST_F(WebPushLineTest, WhatIsSaidOfOneDeviceProvesTheConnectionAlsoWhileTheServiceIsProbed) {
    EXPECT_EQ(exchange(429), http2::connection_advice::keep);
    for (std::uint32_t i = 1; i < service_state::refusals_to_pause; ++i) {
        EXPECT_EQ(exchange(503), http2::connection_advice::doubt);
    }
    time.advance(1s);
    EXPECT_EQ(exchange(429), http2::connection_advice::keep);
    EXPECT_EQ(last().action, resend) << "though it costs nothing";
    time.advance(2s);
    EXPECT_EQ(exchange(503), http2::connection_advice::doubt);
    time.advance(4s);
    EXPECT_EQ(exchange(410), http2::connection_advice::keep);
}

TEST_F(WebPushLineTest, AnOutageOfAServiceCostsTheOnlyPushThatMeetsItTwoTriesAtMost) {
    int charged = 0;
    int asked = 0;
    for (int second = 0; second < 600; ++second) {
        push& only = add();
        source.waiting.clear();
        subject.add(only, false, time.now());
        if (!next().empty()) {
            answer(500);
            ++asked;
            charged += last().action == retry_here ? 1 : 0;
            EXPECT_TRUE(last().action == retry_here || last().action == resend);
        }
        time.advance(2s);
    }
    EXPECT_LE(charged, 2);
    EXPECT_GT(asked, 30) << "its end is noticed";
}

TEST_F(WebPushLineTest, NobodyIsSentToWhoseHostIsAtAForbiddenAddress) {
    push& first = add();
    source.waiting.clear();
    subject.add(first, false, time.now());
    subject.on_dial_failed(http2::http2_errc::address_not_allowed);
    EXPECT_EQ(last().action, reject_push);
    EXPECT_EQ(last().reason, "AddressNotAllowed");
    push& second = add();
    source.waiting.clear();
    subject.add(second, false, time.now());
    EXPECT_EQ(source.verdicts.size(), 2U);
    EXPECT_EQ(last().reason, "AddressNotAllowed");
}

TEST_F(WebPushLineTest, AHostWithoutAnAddressCostsItsPushesATry) {
    push& item = add();
    source.waiting.clear();
    subject.add(item, false, time.now());
    subject.on_dial_failed(http2::http2_errc::unknown_host);
    EXPECT_EQ(last().action, retry_here);
    EXPECT_EQ(last().reason, unknown_host);
}

TEST_F(WebPushLineTest, WhatWaitsForAServiceThatCannotBeReachedGoesBackUncharged) {
    push& item = add();
    source.waiting.clear();
    subject.add(item, false, time.now());
    subject.on_dial_failed(http2::http2_errc::connection_lost);
    EXPECT_EQ(last().action, resend);
    EXPECT_EQ(last().reason, service_unreachable);
    EXPECT_TRUE(last().retry_after);
    EXPECT_EQ(subject.waiting(), 0U);
}

TEST_F(WebPushLineTest, NothingWaitsForLongWhereNothingMoves) {
    push& item = add();
    source.waiting.clear();
    subject.add(item, false, time.now());
    time.advance(1s);
    subject.look(time.now());
    EXPECT_EQ(subject.waiting(), 1U);
    time.advance(2s);
    subject.look(time.now());
    EXPECT_EQ(subject.waiting(), 0U);
    EXPECT_EQ(last().reason, service_unreachable);
}

TEST_F(WebPushLineTest, AServiceThatLeavesManyUnansweredGetsNoMore) {
    exchange(201);
    for (int i = 0; i < 210; ++i) {
        add();
    }
    for (int i = 0; i < 200; ++i) {
        ASSERT_FALSE(next().empty());
    }
    time.advance(3s);
    EXPECT_TRUE(next().empty());
    answer(201);
    EXPECT_FALSE(next().empty());
}

TEST_F(WebPushLineTest, ALineThatWasFullAsksForMoreWithTheNextAnswerOrFailure) {
    exchange(201);
    for (int i = 0; i < 200; ++i) {
        add();
        ASSERT_FALSE(next().empty());
    }
    time.advance(3s);
    add();
    asks();
    ASSERT_TRUE(next().empty());
    EXPECT_FALSE(asks());
    answer(201);
    EXPECT_TRUE(asks()) << "nothing waits in the line, but in the source";
    answer(201);
    EXPECT_FALSE(asks()) << "it was asked, and did not say no since";

    ASSERT_FALSE(next().empty());
    time.advance(3s);
    add();
    add();
    while (!next().empty()) {
    }
    asks();
    http2::failed_request lost;
    lost.context = sent.front();
    sent.pop_front();
    lost.written_at = time.now();
    subject.on_failure(lost);
    EXPECT_TRUE(asks());
}

TEST_F(WebPushLineTest, AServiceThatAnswersNothingIsLeftAloneAndProbed) {
    for (int i = 0; i < 20; ++i) {
        add();
    }
    for (int i = 0; i < 12; ++i) {
        ASSERT_FALSE(next().empty());
    }
    while (!sent.empty()) {
        http2::failed_request failed;
        failed.context = sent.front();
        failed.why = http2::failure::timed_out;
        sent.pop_front();
        subject.on_failure(failed);
    }
    EXPECT_EQ(subject.waiting(), 0U);
    add();
    EXPECT_TRUE(next().empty());
    time.advance(30s);
    add();
    add();
    EXPECT_FALSE(next().empty());
    EXPECT_FALSE(next().empty());
    EXPECT_TRUE(next().empty());
}

TEST_F(WebPushLineTest, AWrongKeyPausesTheAppAndRemovesNobody) {
    for (const int status : {401, 403}) {
        exchange(status);
        EXPECT_EQ(last().action, pause_app);
    }
    EXPECT_TRUE(health.problem());
    exchange(201);
    EXPECT_FALSE(health.problem());
}

TEST_F(WebPushLineTest, WhatWaitsGoesBackOnceTheCredentialIsKnownToBeBad) {
    for (int i = 0; i < 8; ++i) {
        add();
    }
    for (int i = 0; i < 3; ++i) {
        ASSERT_FALSE(next().empty());
        answer(401);
    }
    EXPECT_EQ(subject.waiting(), 0U);
    EXPECT_EQ(source.verdicts.size(), 8U);
    EXPECT_EQ(std::ranges::count(source.verdicts, resend, &testing::recorded_source::settled::action), 5);
}

TEST_F(WebPushLineTest, ATokenThatHasGrownOldIsRenewedOnceItIsRefused) {
    exchange(201);
    time.advance(2h);
    exchange(401);
    EXPECT_EQ(last().action, refresh_credential);
    exchange(401);
    EXPECT_EQ(last().action, pause_app);
}

TEST_F(WebPushLineTest, ALostRequestMayHaveArrived) {
    add();
    ASSERT_FALSE(next().empty());
    http2::failed_request failed;
    failed.context = sent.front();
    failed.why = http2::failure::unknown;
    subject.on_failure(failed);
    EXPECT_EQ(last().action, unknown);
    EXPECT_EQ(last().reason, "ConnectionLost");
}

TEST_F(WebPushLineTest, WhatIsNotWantedAnyMoreIsNotSent) {
    push& item = add();
    source.unwanted = &item;
    EXPECT_TRUE(next().empty());
    EXPECT_EQ(last().action, resend);
    EXPECT_FALSE(last().retry_after);
}

TEST_F(WebPushLineTest, UrgentPushesOvertakeTheOthers) {
    push& slow = add();
    push& fast = add();
    source.waiting.clear();
    subject.add(slow, false, time.now());
    EXPECT_FALSE(subject.urgent());
    subject.add(fast, true, time.now());
    EXPECT_TRUE(subject.urgent());
    ASSERT_FALSE(next().empty());
    answer(201);
    EXPECT_EQ(last().item, &fast);
}

TEST_F(WebPushLineTest, DamagedKeysAreTheEndOfThatPushAlone) {
    push& item = add();
    item.keys = "damaged";
    EXPECT_TRUE(next().empty());
    EXPECT_EQ(last().action, reject_push);
    EXPECT_EQ(last().reason, damaged_keys);
    exchange(201);
    EXPECT_EQ(last().action, accept);
}

}  // namespace
}  // namespace tocsin::webpush
