#include "tests/providers/http2/pool_fixture.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <string>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

TEST_F(Http2PoolTest, UnknownAuthorityGetsNoRequestAndIsNamed) {
    const throw_away_ca other;
    serve();
    open("127.0.0.1", other.file());
    client.add("secret");
    go();
    ASSERT_TRUE(run_until([&] { return pool_->statistics().dials_failed >= 2; }));
    const std::string problem = pool_->statistics().last_dial_error;
    EXPECT_NE(problem.find("certificate verify failed: "), std::string::npos) << problem;
    EXPECT_NE(problem.find("127.0.0.1:"), std::string::npos) << problem;
    EXPECT_EQ(client.waiting(), 1U);
    EXPECT_EQ(server->requests(), 0U);
    EXPECT_EQ(log.count("http2.dial_failed"), 1) << "logged once, not with every attempt";
}

TEST_F(Http2PoolTest, CertificateForAnotherNameIsRefused) {
    h2_tls_server::options options;
    options.names = "DNS:other.test";
    serve(options);
    open("localhost");
    client.add("secret");
    go();
    ASSERT_TRUE(run_until([&] { return pool_->statistics().dials_failed >= 1; }));
    EXPECT_NE(pool_->statistics().last_dial_error.find("hostname mismatch"), std::string::npos);
    EXPECT_EQ(server->requests(), 0U);
}

TEST_F(Http2PoolTest, PeerWithoutH2IsRefused) {
    h2_tls_server::options options;
    options.alpn = "";
    serve(options);
    open();
    client.add("x");
    go();
    ASSERT_TRUE(run_until([&] { return pool_->statistics().dials_failed >= 1; }));
    EXPECT_NE(pool_->statistics().last_dial_error.find("does not speak HTTP/2"), std::string::npos);
    EXPECT_EQ(server->requests(), 0U);
    EXPECT_EQ(client.waiting(), 1U);
}

TEST_F(Http2PoolTest, RefusedDialIsTriedAgainAndTheRequestWaits) {
    const testing::reserved_port unused;
    closed_port = unused.number();
    open();
    client.add("x");
    go();
    ASSERT_TRUE(run_until([&] { return pool_->statistics().dials_failed >= 2; }));
    EXPECT_NE(pool_->statistics().last_dial_error.find("Connection refused"), std::string::npos)
        << pool_->statistics().last_dial_error;
    EXPECT_EQ(client.settled(), 0U);
    EXPECT_EQ(client.waiting(), 1U);
}

TEST_F(Http2PoolTest, UnknownHostIsASentence) {
    open("no-such-host.invalid");
    client.add("x");
    go();
    ASSERT_TRUE(run_until([&] { return pool_->statistics().dials_failed >= 1; }));
    EXPECT_EQ(pool_->statistics().last_dial_error.rfind("no such host: no-such-host.invalid", 0), 0U)
        << pool_->statistics().last_dial_error;
}

TEST_F(Http2PoolTest, PeerThatNeverGreetsFailsTheDial) {
    h2_tls_server::options options;
    options.greets = false;
    serve(options);
    policy.settings_timeout = 30ms;
    open();
    client.add("x");
    go();
    ASSERT_TRUE(run_until([&] { return pool_->statistics().dials_failed >= 1; }));
    EXPECT_NE(pool_->statistics().last_dial_error.find("SETTINGS"), std::string::npos);
    EXPECT_EQ(client.waiting(), 1U);
}

TEST_F(Http2PoolTest, PeerThatNeverFinishesTheHandshakeFailsTheDial) {
    boost::asio::ip::tcp::acceptor silent(loop, {boost::asio::ip::address_v4::loopback(), 0});
    closed_port = silent.local_endpoint().port();
    policy.dial_timeout = 30ms;
    open();
    client.add("x");
    go();
    ASSERT_TRUE(run_until([&] { return pool_->statistics().dials_failed >= 1; }));
    EXPECT_NE(pool_->statistics().last_dial_error.find("still in the TLS handshake"), std::string::npos)
        << pool_->statistics().last_dial_error;
}

TEST_F(Http2PoolTest, PoolMayGoWhileItDials) {
    serve();
    open();
    client.add("x");
    go();
    ASSERT_TRUE(run_until([&] { return !server->peers().empty(); }));
    pool_->detach(client);
    pool_.reset();
    ASSERT_TRUE(run_until([&] { return server->open() == 0; }));
    EXPECT_EQ(client.settled(), 0U);
}

TEST_F(Http2PoolTest, SecondConnectionResumesTheTlsSession) {
    serve();
    open();
    client.advice = connection_advice::drain;
    client.add("first");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 1 && server->open() == 0; }));
    client.add("second");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 2; }));
    EXPECT_FALSE(server->peers()[0]->resumed());
    EXPECT_TRUE(server->peers()[1]->resumed());
}

TEST_F(Http2PoolTest, WhatIsDialledOnceAConnectionIsReadyResumesThoughNobodyWasAnsweredYet) {
    h2_tls_server::options options;
    options.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 10}};
    serve(options);
    server->on_request = [](auto&, std::int32_t, const auto&) {};
    policy.max_connections = 2;
    open();
    client.add_many(100, "x");
    go();
    ASSERT_TRUE(run_until([&] { return pool_->statistics().ready == 2; }));
    EXPECT_EQ(client.answered, 0U);
    EXPECT_FALSE(server->peers()[0]->resumed());
    EXPECT_TRUE(server->peers()[1]->resumed());
}

}  // namespace
}  // namespace tocsin::http2
