#include "providers/connections.hpp"

#include "tests/support/h2_tls_server.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/recorded_client.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/throw_away_ca.hpp"

#include <boost/asio/io_context.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using testing::h2_tls_server;

/// The connections of an engine of two threads, which are one here, to a provider on loopback.
class ConnectionRegistryTest : public ::testing::Test {
protected:
    ConnectionRegistryTest() {
        identity.tls = another_tls_context();
        identity.where.host = "127.0.0.1";
    }
    ~ConnectionRegistryTest() override {
        loop.restart();
        loop.poll();  // The handlers of what was closed.
    }
    [[nodiscard]] std::shared_ptr<net::tls_context> another_tls_context() const {
        net::tls_options options;
        options.ca_file = ca.file();
        options.alpn = "h2";
        return net::tls_context::create(options).value();
    }
    std::shared_ptr<http2::pool> pool_of(std::size_t thread, const h2_tls_server& server) {
        identity.where.port = server.port();
        identity.where.authority = "127.0.0.1:" + std::to_string(server.port());
        return connections.get(thread, loop.get_executor(), identity, {});
    }
    static void answer_with_date(h2_tls_server& server, const char* date) {
        server.on_request = [date](auto& peer, std::int32_t stream, const auto&) {
            peer.http2.respond(stream, "200", "", {{"date", date}});
        };
    }
    void exchange(http2::pool& over) {
        testing::recorded_client client;
        client.add("x");
        over.attach(client);
        over.wake(client);
        EXPECT_TRUE(testing::loop_until(loop, [&] { return client.answered == 1; }));
        over.detach(client);
    }

    boost::asio::io_context loop{1};
    testing::throw_away_ca ca;
    testing::manual_time time;
    testing::recorded_log log;
    connection_identity identity;
    connection_registry connections{2, time, log, 7};
};

TEST_F(ConnectionRegistryTest, AThreadHasOnePoolForWhoeverAsksForTheSame) {
    const h2_tls_server server(loop, ca, {});
    const auto first = pool_of(0, server);
    EXPECT_EQ(pool_of(0, server), first);
    EXPECT_NE(pool_of(1, server), first);
    identity.credential = "another key";
    EXPECT_NE(pool_of(0, server), first);
}

TEST_F(ConnectionRegistryTest, PoolsOfAThreadResumeOneTlsSessionButNeverThatOfAnotherTlsContext) {
    h2_tls_server server(loop, ca, {});
    const auto first = pool_of(0, server);
    exchange(*first);
    identity.credential = "another key";
    const auto under_another_key = pool_of(0, server);
    exchange(*under_another_key);
    const auto of_another_thread = pool_of(1, server);
    exchange(*of_another_thread);
    identity.tls = another_tls_context();
    const auto of_another_context = pool_of(0, server);
    exchange(*of_another_context);
    std::vector<bool> resumed;
    for (const auto& each : server.peers()) {
        resumed.push_back(each->resumed());
    }
    EXPECT_EQ(resumed, (std::vector<bool>{false, true, false, false}));
}

TEST_F(ConnectionRegistryTest, APoolNeverResumesTheTlsSessionOfAnotherHost) {
    h2_tls_server server(loop, ca, {});
    h2_tls_server other(loop, ca, {});
    const auto first = pool_of(0, server);
    exchange(*first);
    const auto elsewhere = pool_of(0, other);
    exchange(*elsewhere);
    EXPECT_FALSE(other.peers()[0]->resumed());
}

TEST_F(ConnectionRegistryTest, APoolThatCouldNotResumeDialsWithoutATicketThoughOthersHaveRenewedIt) {
    h2_tls_server server(loop, ca, {});
    server.on_greeting = [](auto& peer) {
        if (peer.resumed()) {
            peer.cut();
        }
    };
    const auto first = pool_of(0, server);
    exchange(*first);
    identity.credential = "another key";
    const auto cut = pool_of(0, server);
    testing::recorded_client client;
    client.add("x");
    cut->attach(client);
    cut->wake(client);
    EXPECT_TRUE(testing::loop_until(loop, [&] { return cut->statistics().dials_failed == 1; }));
    identity.credential = "a third key";
    const auto renews = pool_of(0, server);
    exchange(*renews);

    time.advance(std::chrono::seconds(2));
    EXPECT_TRUE(testing::loop_until(loop, [&] { return client.answered == 1; }));
    EXPECT_EQ(cut->statistics().dials, 2U);
    cut->detach(client);
}

TEST_F(ConnectionRegistryTest, ThatAHostsClockIsWrongIsToldOnceByAllThreadsAndPools) {
    h2_tls_server server(loop, ca, {});
    answer_with_date(server, "Sun, 06 Nov 1994 08:49:37 GMT");
    const std::array pools{pool_of(0, server), pool_of(1, server), [&] {
                               identity.credential = "another key";
                               return pool_of(0, server);
                           }()};
    for (const auto& each : pools) {
        exchange(*each);
    }
    EXPECT_EQ(log.count("clock.differs"), 1);
}

}  // namespace
}  // namespace tocsin
