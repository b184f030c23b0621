#include "providers/handshake.hpp"

#include "providers/apns/settings.hpp"
#include "providers/fcm/settings.hpp"
#include "tests/support/h2_tls_server.hpp"
#include "tests/support/throw_away_ca.hpp"

#include <boost/asio/io_context.hpp>

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using testing::h2_tls_server;
using ::testing::HasSubstr;

/// A provider on a port of this machine, on a thread of its own: shake_hands() blocks.
class peer {
public:
    peer(const testing::throw_away_ca& ca, const h2_tls_server::options& how) : server_(loop_, ca, how) {
        thread_ = std::jthread([this] { loop_.run(); });
    }
    peer(const peer&) = delete;
    peer& operator=(const peer&) = delete;
    ~peer() {
        loop_.stop();
        thread_.join();
    }
    [[nodiscard]] std::string url() const { return "https://localhost:" + std::to_string(port_); }

private:
    boost::asio::io_context loop_{1};
    h2_tls_server server_;
    std::uint16_t port_ = server_.port();
    std::jthread thread_;
};

class HandshakeTest : public ::testing::Test {
protected:
    static app_settings app(const std::string& id, const std::string& url, const std::string& ca_file) {
        app_settings out;
        out.id = id;
        auto& fcm = out.add<fcm_settings>();
        fcm.url = url;
        fcm.ca_file = ca_file;
        return out;
    }
    static std::string problem(const std::string& url, const std::string& ca_file) {
        settings how;
        how.apps = {app("mairies", url, ca_file)};
        const auto told = shake_hands(how);
        EXPECT_EQ(told.size(), 1U);
        EXPECT_EQ(told.front().peer, "mairies/fcm " + url);
        return told.front().problem;
    }

    testing::throw_away_ca ca;
    testing::throw_away_ca another_ca;
};

TEST_F(HandshakeTest, WhoIsTrustedAndSpeaksHttp2IsReached) {
    const peer provider(ca, {});
    EXPECT_EQ(problem(provider.url(), ca.file()), "");
}

TEST_F(HandshakeTest, WhatIsWrongIsSaid) {
    h2_tls_server::options http1;
    http1.alpn.clear();
    h2_tls_server::options another_name;
    another_name.names = "DNS:elsewhere.test";
    const peer provider(ca, {});
    const peer old(ca, http1);
    const peer stranger(ca, another_name);
    EXPECT_THAT(problem(provider.url(), another_ca.file()), HasSubstr("its certificate is not trusted"));
    EXPECT_THAT(problem(stranger.url(), ca.file()), HasSubstr("its certificate is not trusted"));
    EXPECT_EQ(problem(old.url(), ca.file()), "does not offer HTTP/2");
    EXPECT_THAT(problem("https://localhost:1", ca.file()), HasSubstr("cannot be connected to"));
    EXPECT_THAT(problem("https://nobody.invalid", ca.file()), HasSubstr("its name cannot be resolved"));
    EXPECT_NE(problem("http://localhost", ca.file()), "");
    EXPECT_NE(problem(provider.url(), "/nowhere/ca.pem"), "");
}

TEST_F(HandshakeTest, AnAddressIsTriedOnceForEachWayToGoThere) {
    const peer provider(ca, {});
    settings how;
    how.apps = {
        app("a", provider.url(), ca.file()), app("b", provider.url(), ca.file()),
        app("c", provider.url(), another_ca.file())};
    auto& apns = how.apps.front().add<apns_settings>();
    apns.url = apns.sandbox_url = "https://localhost:1";
    const auto told = shake_hands(how);
    std::vector<std::string> peers;
    for (const handshake_report& one : told) {
        peers.push_back(one.peer);
    }
    EXPECT_THAT(
        peers, ::testing::UnorderedElementsAre(
                   "a/fcm " + provider.url(), "c/fcm " + provider.url(), "a/apns https://localhost:1"));
}

}  // namespace
}  // namespace tocsin
