#include "providers/webpush/line.hpp"

#include "engine/delivery/push.hpp"
#include "engine/delivery/verdict.hpp"
#include "providers/http2/client.hpp"
#include "providers/webpush/answers.hpp"
#include "providers/webpush/body_store.hpp"
#include "providers/webpush/encryption.hpp"
#include "tests/providers/webpush/line_fixture.hpp"
#include "tests/support/recorded_source.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::webpush {
namespace {

using namespace std::chrono_literals;
using enum reaction;

/// What a line sends, in which order, and what an answer means to its push.
class WebPushLineTest : public line_fixture {};

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
