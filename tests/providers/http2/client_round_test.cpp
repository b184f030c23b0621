#include "providers/http2/client_round.hpp"

#include <chrono>
#include <cstddef>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

struct seat final : client {
    bool next_request(std::uint64_t, time_point, request&) noexcept override { return false; }
    [[nodiscard]] bool urgent() const noexcept override { return is_urgent; }
    [[nodiscard]] std::size_t open_requests() const noexcept override { return open; }
    [[nodiscard]] std::size_t backlog(duration within) const noexcept override {
        return within == 100ms ? waiting : 0;
    }
    connection_advice on_response(const response&) noexcept override { return connection_advice::keep; }
    void on_failure(const failed_request&) noexcept override {}
    void on_peer_word(const peer_word&) noexcept override { ++words; }
    void on_dial_failed(const error_code&) noexcept override { ++failed_dials; }

    bool is_urgent = false;
    std::size_t open = 0;
    std::size_t waiting = 0;
    int words = 0;
    int failed_dials = 0;
};

class ClientRoundTest : public ::testing::Test {
protected:
    ClientRoundTest() {
        for (seat* const one : {&a, &b, &c}) {
            subject.attach(*one);
        }
    }
    void begin_with_all() {
        for (const seat* const one : {&a, &b, &c}) {
            subject.wake(*one);
        }
        subject.begin();
    }
    /// Whose turn it is, who has had it then.
    client* take_turn() {
        client* const who = subject.next();
        if (who != nullptr) {
            subject.had_its_turn(*who);
        }
        return who;
    }

    client_round subject{100};
    seat a;
    seat b;
    seat c;
};

TEST_F(ClientRoundTest, WhoIsWokenHasATurnFromTheNextBeginningOn) {
    subject.wake(b);
    EXPECT_EQ(subject.next(), nullptr);
    EXPECT_FALSE(subject.anybody_ready());
    subject.begin();
    EXPECT_EQ(subject.next(), &b);
    EXPECT_TRUE(subject.anybody_ready());
}

TEST_F(ClientRoundTest, AllTakeTurns) {
    begin_with_all();
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(take_turn(), &a);
        EXPECT_EQ(take_turn(), &b);
        EXPECT_EQ(take_turn(), &c);
    }
}

TEST_F(ClientRoundTest, WhoIsUrgentGoesFirstWhereverItStands) {
    begin_with_all();
    c.is_urgent = true;
    EXPECT_EQ(take_turn(), &c);
    EXPECT_EQ(take_turn(), &c);
    c.is_urgent = false;
    EXPECT_EQ(take_turn(), &a) << "which stands behind the one that had the last turn";
    b.is_urgent = c.is_urgent = true;
    EXPECT_EQ(take_turn(), &b);
    EXPECT_EQ(take_turn(), &c) << "the urgent take turns, too";
}

TEST_F(ClientRoundTest, WhoIsUrgentAndSaysNothingOfWorkIsNotAsked) {
    a.is_urgent = true;
    EXPECT_TRUE(subject.anybody_urgent());
    subject.wake(b);
    subject.begin();
    EXPECT_EQ(subject.next(), &b);
}

TEST_F(ClientRoundTest, WhoHasNothingIsNotAskedUntilItIsWoken) {
    begin_with_all();
    subject.done(b);
    EXPECT_EQ(take_turn(), &a);
    EXPECT_EQ(take_turn(), &c);
    subject.done(a);
    subject.done(c);
    EXPECT_FALSE(subject.anybody_ready());
    subject.begin();
    EXPECT_EQ(subject.next(), nullptr) << "a waking counts for one beginning";
}

TEST_F(ClientRoundTest, WhoWakesItselfWhileItIsAskedIsNeitherForgottenNorAskedWithoutEnd) {
    subject.wake(a);
    subject.begin();
    subject.wake(a);
    subject.done(a);
    EXPECT_EQ(subject.next(), nullptr);
    subject.begin();
    EXPECT_EQ(subject.next(), &a);
}

TEST_F(ClientRoundTest, OneOfSeveralMayOpenSoManyAndNoMore) {
    EXPECT_EQ(subject.limit(), 100U);
    begin_with_all();
    a.open = 99;
    EXPECT_EQ(subject.next(), &a);
    a.open = 100;
    EXPECT_EQ(subject.next(), &b);
    a.is_urgent = true;
    EXPECT_EQ(subject.next(), &b) << "urgent or not: the others need the rest";
    b.open = c.open = 100;
    EXPECT_FALSE(subject.anybody_ready());
    EXPECT_EQ(subject.next(), nullptr);
}

TEST_F(ClientRoundTest, WhoIsAloneMayOpenAsManyAsThereAre) {
    subject.detach(b);
    EXPECT_EQ(subject.limit(), 100U);
    subject.detach(c);
    subject.wake(a);
    subject.begin();
    a.open = 1'000'000;
    EXPECT_TRUE(subject.may_open_more(a));
    EXPECT_EQ(subject.next(), &a);
}

TEST_F(ClientRoundTest, WhoLeavesHasNoTurnAndTheOthersKeepTheirs) {
    begin_with_all();
    EXPECT_EQ(take_turn(), &a);
    subject.detach(b);
    EXPECT_EQ(take_turn(), &c) << "which stands where b stood";
    EXPECT_EQ(take_turn(), &a);
    subject.had_its_turn(b);
    subject.done(b);
    EXPECT_NE(subject.next(), nullptr);
}

TEST_F(ClientRoundTest, AllHearWhatIsSaidAndTheirBacklogsAreAdded) {
    subject.detach(c);
    subject.tell(peer_word());
    subject.tell_dial_failed(error_code());
    EXPECT_EQ(a.words + a.failed_dials, 2);
    EXPECT_EQ(b.words + b.failed_dials, 2);
    EXPECT_EQ(c.words + c.failed_dials, 0);
    a.waiting = 2;
    b.waiting = 30;
    c.waiting = 400;
    EXPECT_EQ(subject.backlog(100ms), 32U);
}

}  // namespace
}  // namespace tocsin::http2
