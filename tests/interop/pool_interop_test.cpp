#include "engine/core/log.hpp"
#include "engine/net/tls_context.hpp"
#include "providers/http2/pool.hpp"
#include "tests/interop/foreign_server.hpp"
#include "tests/interop/persistent_client.hpp"
#include "tests/support/loop_until.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>

#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

// The pool against HTTP/2 servers that are not of this project. The server says at the end how often
// it processed each push, and that is compared with what the client believes.

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::foreign_server;
using testing::persistent_client;

class PoolInteropTest : public ::testing::TestWithParam<foreign_server::kind> {
protected:
    void TearDown() override {
        if (pool) {
            pool->detach(client);
            pool.reset();
        }
        loop.restart();
        loop.poll();
    }

    /// Sends what `client` has to a server with this plan until everything is answered.
    void run(const std::string& plan, std::size_t connections = 2) {
        server.emplace(GetParam(), plan);
        net::tls_options tls;
        tls.ca_file = server->authority().file();
        tls.alpn = "h2";
        http2::pool_policy policy;
        policy.max_connections = connections;
        pool = std::make_unique<http2::pool>(
            loop.get_executor(), http2::endpoint{"localhost", server->port()},
            net::tls_context::create(tls).value(), policy,
            http2::thread_commons{
                std::make_shared<http2::turns>(loop.get_executor(), time),
                std::make_shared<http2::dial_gate>()},
            time, log, 7);
        pool->attach(client);
        client.wake = [this] { pool->wake(client); };
        client.wake();
        const bool finished = testing::loop_until(
            loop, [this] { return client.answered >= client.pushes.size(); }, 50s);
        seen = server->stop();
        ASSERT_TRUE(finished) << client.answered << " of " << client.pushes.size() << "; "
                              << pool->statistics().last_dial_error;
    }

    void add(std::size_t count, const std::string& kind = "a0") {
        for (std::size_t i = 0; i < count; ++i) {
            client.add(kind, i);
        }
    }

    [[nodiscard]] std::size_t number(const char* name) const {
        return seen.at(name).to_number<std::size_t>();
    }

    /// Nobody is lost, nobody is answered twice, and who was processed more often than once is known
    /// to us as somebody whose fate we did not know.
    void expect_an_honest_account() const {
        const auto& processed = seen.at("processed").as_object();
        std::size_t lost = 0;
        std::size_t answered_wrongly = 0;
        std::size_t repeated_unknowingly = 0;
        for (const auto& push : client.pushes) {
            const auto* const found = processed.if_contains(push.token);
            const auto times = found == nullptr ? 0 : found->to_number<std::size_t>();
            lost += times == 0 ? 1 : 0;
            answered_wrongly += push.answers == 1 ? 0 : 1;
            repeated_unknowingly += times > 1 + push.unknown ? 1 : 0;
        }
        EXPECT_EQ(lost, 0U);
        EXPECT_EQ(answered_wrongly, 0U);
        EXPECT_EQ(repeated_unknowingly, 0U);
        EXPECT_EQ(processed.size(), client.pushes.size());
        EXPECT_TRUE(seen.at("errors").as_array().empty()) << boost::json::serialize(seen.at("errors"));
    }
    [[nodiscard]] std::size_t processed_in_all() const {
        std::size_t sum = 0;
        for (const auto& [token, times] : seen.at("processed").as_object()) {
            sum += times.to_number<std::size_t>();
        }
        return sum;
    }

    boost::asio::io_context loop{1};
    std::optional<foreign_server> server;
    system_time_source time;
    null_logger log;
    persistent_client client;
    std::unique_ptr<http2::pool> pool;
    boost::json::object seen;
};

TEST_P(PoolInteropTest, ThousandsOfRequestsAreEachAnsweredOnce) {
    add(2'000);
    run(R"({"plan":"serve","streams":100})");
    expect_an_honest_account();
    EXPECT_EQ(client.not_processed + client.unknown, 0U);
    EXPECT_EQ(processed_in_all(), 2'000U);
    EXPECT_LE(number("most_open"), 100U);
}

TEST_P(PoolInteropTest, ErrorBodiesArriveWholeHoweverSlowly) {
    add(100, "d0");
    add(100, "d1");
    add(100, "d3");
    add(100);
    run(R"({"plan":"slow_bodies"})");
    expect_an_honest_account();
    for (std::size_t i = 0; i < 100; ++i) {
        EXPECT_EQ(client.pushes[i].status, 410);
        EXPECT_EQ(client.pushes[i].body, R"({"reason":"Unregistered","timestamp":1700000000000})");
        EXPECT_EQ(client.pushes[100 + i].status, 400);
        EXPECT_EQ(client.pushes[100 + i].body, R"({"reason":"BadDeviceToken"})");
        EXPECT_EQ(client.pushes[200 + i].status, 429);
        EXPECT_EQ(client.pushes[300 + i].status, 200);
        EXPECT_EQ(client.pushes[300 + i].body, "");
    }
}

TEST_P(PoolInteropTest, GoAwayInMidFlightRepeatsOnlyWhatWasNotProcessed) {
    add(2'000);
    run(R"({"plan":"goaway","every":300,"delay_ms":5})");
    expect_an_honest_account();
    EXPECT_GE(number("goaways"), 3U);
    EXPECT_GT(client.not_processed, 0U);
    // Answers below the last stream were waited for, so nothing remained in doubt.
    EXPECT_EQ(client.unknown, 0U);
    EXPECT_EQ(processed_in_all(), 2'000U);
}

TEST_P(PoolInteropTest, RefusedStreamsAreSentAgainAndNotInDoubt) {
    add(2'000);
    run(R"({"plan":"refuse","every":7})");
    expect_an_honest_account();
    EXPECT_EQ(client.not_processed, number("refused"));
    EXPECT_GE(number("refused"), 2'000U / 7);
    EXPECT_EQ(client.unknown, 0U);
    EXPECT_EQ(processed_in_all(), 2'000U);
}

TEST_P(PoolInteropTest, AStreamThatIsResetAfterItsRequestIsInDoubt) {
    add(2'000);
    run(R"({"plan":"reset","every":10})");
    expect_an_honest_account();
    EXPECT_GE(number("reset"), 150U);
    EXPECT_EQ(client.unknown, number("reset"));
    EXPECT_EQ(client.not_processed, 0U);
    EXPECT_EQ(processed_in_all(), 2'000U + client.unknown);
}

TEST_P(PoolInteropTest, AStreamLimitThatFallsAndRisesIsFollowed) {
    add(2'000);
    run(R"({"plan":"limits","every":150,"streams":100,"lowered":2,"delay_ms":1})", 1);
    expect_an_honest_account();
    EXPECT_GE(number("limits"), 10U);
    EXPECT_LE(number("most_open"), 100U);
    // A stream above a limit that was acknowledged ends the connection: there was none.
    EXPECT_EQ(number("connections"), 1U);
    EXPECT_EQ(client.unknown, 0U);
    EXPECT_EQ(processed_in_all(), 2'000U);
}

TEST_P(PoolInteropTest, AConnectionThatIsDestroyedLeavesDoubtsAndNoLosses) {
    add(2'000);
    run(R"({"plan":"cut","every":300,"delay_ms":3})");
    expect_an_honest_account();
    EXPECT_GE(number("cuts"), 3U);
    EXPECT_GT(client.unknown, 0U);
    EXPECT_LE(processed_in_all(), 2'000U + client.unknown);
}

INSTANTIATE_TEST_SUITE_P(
    Foreign, PoolInteropTest, ::testing::Values(foreign_server::kind::node, foreign_server::kind::python),
    [](const auto& test) { return test.param == foreign_server::kind::node ? "Node" : "HyperH2"; });

}  // namespace
}  // namespace tocsin
