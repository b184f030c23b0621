#include "engine/delivery/push.hpp"
#include "engine/delivery/verdict.hpp"
#include "providers/http2/client.hpp"
#include "providers/http2/error.hpp"
#include "providers/webpush/answers.hpp"
#include "providers/webpush/line.hpp"
#include "providers/webpush/service_state.hpp"
#include "tests/providers/webpush/line_fixture.hpp"

#include <chrono>
#include <cstdint>

#include <gtest/gtest.h>

namespace tocsin::webpush {
namespace {

using namespace std::chrono_literals;
using enum reaction;

/// A push service that turns pushes away, is slow, answers nothing, or cannot be reached.
class WebPushLineOutageTest : public line_fixture {};

TEST_F(WebPushLineOutageTest, AServiceThatIsLeftAloneNeedsNoConnections) {
    in_source = 300;
    for (std::uint32_t i = 0; i < service_state::refusals_to_pause; ++i) {
        exchange(503, "30");
    }
    EXPECT_EQ(subject.backlog(100ms), 0U);
    time.advance(30s);
    EXPECT_EQ(subject.backlog(100ms), 1U) << "two probes fit on one";
}

TEST_F(WebPushLineOutageTest, OneConnectionFindsOutWhetherAServiceCanBeReachedAgain) {
    in_source = 300;
    subject.on_dial_failed(http2::http2_errc::connection_lost);
    EXPECT_EQ(subject.backlog(100ms), 1U);
}

TEST_F(WebPushLineOutageTest, ASlowServiceIsNotSentMoreThanItAnswersInTime) {
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

TEST_F(WebPushLineOutageTest, WhatATurnedAwayServiceIsOwedGoesBackUnchargedAndItIsProbedLater) {
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

TEST_F(WebPushLineOutageTest, AServiceThatAPageIsShownInPlaceOfIsLeftAloneLikeABrokenOne) {
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

TEST_F(WebPushLineOutageTest, WhatIsSaidOfOneDeviceProvesTheConnectionAlsoWhileTheServiceIsProbed) {
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

TEST_F(WebPushLineOutageTest, AnOutageOfAServiceCostsTheOnlyPushThatMeetsItTwoTriesAtMost) {
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

TEST_F(WebPushLineOutageTest, NobodyIsSentToWhoseHostIsAtAForbiddenAddress) {
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

TEST_F(WebPushLineOutageTest, AHostWithoutAnAddressCostsItsPushesATry) {
    push& item = add();
    source.waiting.clear();
    subject.add(item, false, time.now());
    subject.on_dial_failed(http2::http2_errc::unknown_host);
    EXPECT_EQ(last().action, retry_here);
    EXPECT_EQ(last().reason, unknown_host);
}

TEST_F(WebPushLineOutageTest, WhatWaitsForAServiceThatCannotBeReachedGoesBackUncharged) {
    push& item = add();
    source.waiting.clear();
    subject.add(item, false, time.now());
    subject.on_dial_failed(http2::http2_errc::connection_lost);
    EXPECT_EQ(last().action, resend);
    EXPECT_EQ(last().reason, service_unreachable);
    EXPECT_TRUE(last().retry_after);
    EXPECT_EQ(subject.waiting(), 0U);
}

TEST_F(WebPushLineOutageTest, NothingWaitsForLongWhereNothingMoves) {
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

TEST_F(WebPushLineOutageTest, AServiceThatLeavesManyUnansweredGetsNoMore) {
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

TEST_F(WebPushLineOutageTest, ALineThatWasFullAsksForMoreWithTheNextAnswerOrFailure) {
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

TEST_F(WebPushLineOutageTest, AServiceThatAnswersNothingIsLeftAloneAndProbed) {
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

}  // namespace
}  // namespace tocsin::webpush
