#include "providers/http2/dial_gate.hpp"

#include "providers/http2/pool.hpp"
#include "tests/support/h2_tls_server.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/recorded_client.hpp"
#include "tests/support/throw_away_ca.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;
using testing::h2_tls_server;

TEST(DialGate, LetsSoManyDialAHostAndTellsTheOthersWhenThereIsRoom) {
    const auto gate = std::make_shared<dial_gate>(2);
    int told = 0;
    const auto count = [&told] { ++told; };
    dial_gate::pass first = gate->enter("apns", count);
    dial_gate::pass second = gate->enter("apns", count);
    ASSERT_NE(first, nullptr);
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(gate->enter("apns", count), nullptr);
    EXPECT_EQ(gate->enter("apns", count), nullptr);
    EXPECT_EQ(told, 0);
    first.reset();
    EXPECT_EQ(told, 2);
    second.reset();
    EXPECT_EQ(told, 2) << "each is told once";
    EXPECT_NE(gate->enter("apns", count), nullptr);
}

TEST(DialGate, AHostThatDoesNotAnswerLeavesTheOthersTheirOwn) {
    const auto gate = std::make_shared<dial_gate>(2, 5);
    std::vector<dial_gate::pass> held;
    const auto enter = [&](const std::string& host) {
        held.push_back(gate->enter(host, [] {}));
        return held.back() != nullptr;
    };
    EXPECT_TRUE(enter("silent") && enter("silent"));
    EXPECT_FALSE(enter("silent"));
    EXPECT_TRUE(enter("fcm") && enter("fcm"));
    EXPECT_FALSE(enter("fcm"));
    EXPECT_TRUE(enter("mozilla")) << "the last of five";
    EXPECT_FALSE(enter("mozilla"));
    EXPECT_TRUE(enter("apple")) << "however many are silent, the first to another host is let through";
    EXPECT_FALSE(enter("apple"));
    held.clear();
    EXPECT_TRUE(enter("silent") && enter("silent"));
}

TEST(DialGate, APassOutlivesTheGatesOwner) {
    auto gate = std::make_shared<dial_gate>(1);
    dial_gate::pass kept = gate->enter("apns", [] {});
    gate.reset();
    kept.reset();
}

/// Two providers of one thread on the manual clock, of which one takes connections and says nothing.
class SilentHostTest : public ::testing::Test {
protected:
    SilentHostTest() {
        silent.welcomes = h2_tls_server::welcome::ignore;
        net::tls_options options;
        options.ca_file = ca.file();
        options.alpn = "h2";
        tls = net::tls_context::create(options).value();
    }
    ~SilentHostTest() override {
        to_silent->detach(waiting);
        to_lively->detach(served);
        to_silent.reset();
        to_lively.reset();
        loop.restart();
        loop.poll();
    }

    std::unique_ptr<pool> open(const std::string& host, const h2_tls_server& where) {
        return std::make_unique<pool>(
            loop.get_executor(), endpoint{host, where.port()}, tls, pool_policy{}, commons, time, log, 7);
    }
    /// Lets everything happen that needs no more than so long.
    template <class Predicate>
    bool within(duration how_long, Predicate done) {
        const time_point last = time.now() + how_long;
        while (!done() && time.now() < last) {
            loop.restart();
            while (loop.run_one_for(2ms) != 0) {
            }
            time.advance(10ms);
        }
        return done();
    }

    testing::manual_time time;  // The last to go: alarms are set on it.
    boost::asio::io_context loop{1};
    testing::throw_away_ca ca;
    h2_tls_server silent{loop, ca};
    h2_tls_server lively{loop, ca};
    null_logger log;
    std::shared_ptr<net::tls_context> tls;
    thread_commons commons{
        std::make_shared<turns>(loop.get_executor(), time), std::make_shared<dial_gate>(4, 4)};
    testing::recorded_client waiting;
    testing::recorded_client served;
    std::unique_ptr<pool> to_silent;
    std::unique_ptr<pool> to_lively;
};

TEST_F(SilentHostTest, DoesNotDelayTheDialsToAnother) {
    to_silent = open("127.0.0.1", silent);
    to_lively = open("localhost", lively);
    to_silent->attach(waiting);
    to_lively->attach(served);
    waiting.tells_backlog = true;
    waiting.is_urgent = true;
    waiting.add_many(10'000, "{}");
    to_silent->wake(waiting);
    ASSERT_TRUE(within(5s, [&] { return to_silent->statistics().connecting == 4; }));
    served.add("{}");
    to_lively->wake(served);
    EXPECT_TRUE(within(1s, [&] { return served.outcomes.size() == 1; }));
    EXPECT_EQ(to_silent->statistics().connecting, 4U) << "they are still dialled";
    EXPECT_EQ(served.outcomes[0].answers, 1U);
}

}  // namespace
}  // namespace tocsin::http2
