#include "providers/http2/unsent.hpp"

#include "tests/providers/http2/pool_fixture.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

// What a broken connection had not sent yet is told apart from what may have arrived.

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

TEST(WriteLog, FindsWhatLiesBehindAByteOfTheCiphertext) {
    write_log log;
    EXPECT_EQ(log.plain_behind(10, 500), 500U);
    log.note(0, 0);
    log.note(100, 130);
    log.note(300, 360);
    EXPECT_EQ(log.plain_behind(0, 500), 0U);
    EXPECT_EQ(log.plain_behind(40, 500), 40U);
    EXPECT_EQ(log.plain_behind(120, 500), 100U) << "the next write begins further behind";
    EXPECT_EQ(log.plain_behind(130, 500), 100U);
    EXPECT_EQ(log.plain_behind(131, 500), 101U);
    EXPECT_EQ(log.plain_behind(361, 500), 301U);
    EXPECT_EQ(log.plain_behind(900, 500), 500U);
}

TEST(WriteLog, WhatItHasForgottenCountsAsSent) {
    write_log log;
    for (std::uint64_t i = 0; i < 1'000; ++i) {
        log.note(i * 100, i * 122);
    }
    EXPECT_EQ(log.plain_behind(0, 100'000), 744U * 100);
    EXPECT_EQ(log.plain_behind(999 * 122, 100'000), 99'900U);
}

class UnsentTest : public Http2PoolTest {
protected:
    /// A peer that lets much be sent, and reads nothing after the first request.
    void fill() {
        serve();
        server->on_greeting = [](auto& peer) { peer.http2.give_window(0, 8 * 1024 * 1024); };
        server->on_request = [this](auto& peer, std::int32_t stream, const auto&) {
            const bool first = &peer == server->peers().front().get();
            if (!first || stream == 1) {
                peer.http2.respond(stream, "200");
            }
            if (first && stream == 1) {
                peer.stop_reading();
            }
        };
        policy.max_connections = 1;
        open();
        client.add("first");
        go();
        ASSERT_TRUE(run_until([&] { return client.answered == 1; }));
        deaf = server->peers().front();
        // Far more than the kernel of either side takes, in requests of all sizes.
        for (std::size_t i = 0; i < requests; ++i) {
            client.add(std::string(200 + i * 37 % 9'000, 'x'));
        }
        go();
        ASSERT_TRUE(run_until([&] { return client.given_to.begin()->second > 40; }));
        run_for(50ms);
    }

    void expect_told_apart() {
        const std::size_t unknown = client.count(failure::unknown);
        const std::size_t never_sent = client.count(failure::not_processed);
        EXPECT_EQ(unknown + never_sent, client.failed);
        EXPECT_EQ(client.failed, given_before - 1);
        EXPECT_GT(never_sent, 10U);
        EXPECT_GT(unknown, 0U);
        // In the order in which they were written: first what may have arrived, then what has not.
        for (std::size_t i = 1; i < given_before; ++i) {
            const bool sent = client.outcomes.at(i).why == failure::unknown;
            EXPECT_EQ(sent, i <= unknown) << i;
            EXPECT_EQ(client.outcomes.at(i).written, sent) << i;
        }
        std::cout << unknown << " may have been sent, " << never_sent << " were not\n";
    }

    static constexpr std::size_t requests = 900;
    std::shared_ptr<h2_tls_server::peer> deaf;
    std::size_t given_before = 0;
};

TEST_F(UnsentTest, OfAConnectionThatThePeerResetsWhatNeverLeftIsNoPossibleDuplicate) {
    fill();
    given_before = client.given_to.begin()->second;
    deaf->reset();
    ASSERT_TRUE(run_until([&] { return client.settled() >= given_before; }));
    expect_told_apart();
}

TEST_F(UnsentTest, OfAConnectionThatIsGivenUpNothingIsSentAfterwardsThatWasCalledUnsent) {
    policy.silence_before_ping = 50ms;
    policy.ping_timeout = 100ms;
    fill();
    given_before = client.given_to.begin()->second;
    ASSERT_TRUE(run_until([&] { return client.settled() >= given_before; }));
    EXPECT_EQ(client.outcomes.at(1).detail, http2_errc::connection_silent);
    expect_told_apart();

    // All that has arrived, to the last byte.
    deaf->read_on();
    ASSERT_TRUE(run_until([&] { return deaf->gone(); }));
    std::set<std::size_t> arrived;
    for (const auto& [stream, request] : deaf->http2.requests()) {
        arrived.insert(std::stoul(request.headers.at(":path").substr(std::string("/3/device/").size())));
    }
    std::cout << arrived.size() << " have begun to arrive\n";
    EXPECT_GT(arrived.size(), 1U);
    for (const std::size_t index : arrived) {
        if (index < given_before && client.outcomes.at(index).failures != 0) {
            EXPECT_EQ(client.outcomes.at(index).why, failure::unknown) << index;
        }
    }
}

TEST_F(UnsentTest, WhatTheSocketRefusedIsNoPossibleDuplicate) {
    serve();
    policy.max_connections = 1;
    open();
    client.add("first");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 1; }));
    // The next write is the first to hear of it, and fails before anything is read.
    bool was_reset = false;
    client.on_given = [&] {
        if (!std::exchange(was_reset, true)) {
            server->peers().front()->reset();
        }
    };
    client.add_many(3, std::string(400, 'x'));
    go();
    ASSERT_TRUE(run_until([&] { return client.failed == 3; }));
    EXPECT_EQ(client.count(failure::not_processed), 3U);
    EXPECT_EQ(client.count(failure::unknown), 0U);
}

TEST_F(UnsentTest, WhatThePeerHasTakenInIsAPossibleDuplicateHoweverTheConnectionEnds) {
    serve();
    server->on_request = [](auto&, std::int32_t, const auto&) {};
    open();
    client.add_many(40, std::string(400, 'x'));
    go();
    ASSERT_TRUE(run_until([&] { return server->requests() == 40; }));
    server->peers().front()->reset();
    ASSERT_TRUE(run_until([&] { return client.settled() == 40; }));
    EXPECT_EQ(client.count(failure::unknown), 40U);
}

}  // namespace
}  // namespace tocsin::http2
