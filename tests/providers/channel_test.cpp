#include "engine/ops/metrics.hpp"
#include "providers/apns/settings.hpp"
#include "providers/factory.hpp"
#include "providers/fcm/settings.hpp"
#include "tests/providers/auth/test_keys.hpp"
#include "tests/providers/auth/token_server.hpp"
#include "tests/support/h2_tls_server.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/recorded_source.hpp"
#include "tests/support/sample_event.hpp"
#include "tests/support/throw_away_ca.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <list>
#include <string>

#include <gtest/gtest.h>

// The providers as a whole, over TLS and HTTP/2, against servers on loopback.

namespace tocsin {
namespace {

using testing::h2_tls_server;
using testing::loop_until;
using testing::temporary_file;

std::string contents(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string address(std::uint16_t port) {
    return "https://localhost:" + std::to_string(port);
}

class ChannelTest : public ::testing::Test {
protected:
    ChannelTest() {
        app.id = "dijon";
        event.expires_at = time.wall_now() + std::chrono::hours(1);
    }

    void TearDown() override {
        opened.reset();
        provider_.reset();
        token_endpoint.close();
        loop.restart();
        loop.run_for(std::chrono::milliseconds(50));
    }

    void open() {
        settings configuration;
        configuration.apps = {app};
        auto made = make_providers(configuration, {loop.get_executor(), 1, time, log, 1});
        ASSERT_TRUE(made.has_value()) << made.error().message;
        provider_ = made->at(0);
        content = provider_->render(event).value();
        opened = provider_->open({loop.get_executor(), 0, time, log, shard, source});
    }

    void open_apns(std::uint16_t production_port, std::uint16_t sandbox_port) {
        apns_settings& given = app.add<apns_settings>();
        given.url = address(production_port);
        given.sandbox_url = address(sandbox_port);
        given.topic = "fr.example.dijon";
        given.team_id = "ABCDE12345";
        given.key_id = "KEY1234567";
        given.key_file = apns_key.path();
        given.ca_file = ca.file();
        open();
    }

    void open_fcm(std::uint16_t port) {
        fcm_settings& given = app.add<fcm_settings>();
        given.url = address(port);
        given.service_account_file = account.path();
        given.ca_file = roots.path();
        open();
    }

    push& add(std::string_view token, bool sandbox = false) {
        push& made = pushes.emplace_back();
        made.token = token;
        made.content = content.get();
        made.sandbox = sandbox;
        source.waiting.push_back(&made);
        return made;
    }

    [[nodiscard]] bool settled(std::size_t count) {
        return loop_until(loop, [&] { return source.verdicts.size() >= count; });
    }

    static constexpr std::string_view device = "0123456789abcdef0123456789abcdef";

    boost::asio::io_context loop{1};
    system_time_source time;
    null_logger log;
    metrics all_metrics;
    metrics_shard& shard = all_metrics.add_shard();
    testing::throw_away_ca ca;
    testing::token_server token_endpoint{loop};
    temporary_file apns_key{testing::test_key::p256().pem()};
    temporary_file roots{contents(ca.file()) + token_endpoint.certificate()};
    temporary_file account{boost::json::serialize(boost::json::object{
        {"type", "service_account"},
        {"project_id", "mairies"},
        {"private_key_id", "abc123"},
        {"private_key", testing::test_key::rsa(2048).pem()},
        {"client_email", "push@mairies.iam.gserviceaccount.com"},
        {"token_uri", token_endpoint.url()}})};
    publish_event event = testing::flood_event();
    app_settings app;
    testing::recorded_source source;
    std::list<push> pushes;
    std::shared_ptr<provider> provider_;
    std::shared_ptr<const message> content;
    std::unique_ptr<channel> opened;
};

TEST_F(ChannelTest, ApnsPushesGoToTheirEnvironments) {
    h2_tls_server production(loop, ca);
    h2_tls_server sandbox(loop, ca);
    open_apns(production.port(), sandbox.port());
    for (int i = 0; i < 20; ++i) {
        add(device, i % 4 == 0);
    }
    opened->wake();
    ASSERT_TRUE(settled(20));
    EXPECT_EQ(production.requests(), 15U);
    EXPECT_EQ(sandbox.requests(), 5U);
    EXPECT_TRUE(std::ranges::all_of(
        source.verdicts, [](const auto& each) { return each.action == reaction::accept; }));
    EXPECT_EQ(opened->statistics().in_flight, 0U);
    EXPECT_EQ(opened->statistics().connections_ready, 2U);
    EXPECT_EQ(shard.counter(metric::provider_responses_total, {"dijon", "apns", "200", ""}).read(), 20U);
}

TEST_F(ChannelTest, ApnsOpensNoConnectionThatNobodyNeeds) {
    h2_tls_server production(loop, ca);
    h2_tls_server sandbox(loop, ca);
    open_apns(production.port(), sandbox.port());
    opened->wake();
    add(device, true);
    opened->wake();
    ASSERT_TRUE(settled(1));
    EXPECT_EQ(production.peers().size(), 0U);
    EXPECT_EQ(sandbox.peers().size(), 1U);
}

TEST_F(ChannelTest, ApnsOfOneAddressNeedsOneConnection) {
    h2_tls_server both(loop, ca);
    open_apns(both.port(), both.port());
    add(device, true);
    add(device, false);
    opened->wake();
    ASSERT_TRUE(settled(2));
    EXPECT_EQ(both.peers().size(), 1U);
}

TEST_F(ChannelTest, ApnsPushesOutOfReachAreGivenBackWhenTheyExpire) {
    event.expires_at = time.wall_now() + std::chrono::milliseconds(300);
    open_apns(1, 1);  // Nobody listens there.
    add(device);
    opened->wake();
    ASSERT_TRUE(settled(1));
    EXPECT_EQ(source.verdicts[0].action, reaction::resend);
    EXPECT_GE(time.wall_now(), event.expires_at);
}

TEST_F(ChannelTest, FcmPushesWaitForTheTokenAndCarryIt) {
    h2_tls_server google(loop, ca);
    token_endpoint.script(testing::token_server::grant("ya29.first", 3600));
    open_fcm(google.port());
    add("device-token-1");
    opened->wake();
    EXPECT_EQ(source.waiting.size(), 1U);
    ASSERT_TRUE(settled(1));
    EXPECT_EQ(source.verdicts[0].action, reaction::accept);
    ASSERT_EQ(google.requests(), 1U);
    const auto& seen = google.peers()[0]->http2.requests().begin()->second;
    EXPECT_EQ(seen.headers.at("authorization"), "Bearer ya29.first");
    EXPECT_EQ(seen.headers.at(":path"), "/v1/projects/mairies/messages:send");
    EXPECT_EQ(boost::json::parse(seen.body).at("message").at("token"), boost::json::value("device-token-1"));
    EXPECT_TRUE(provider_->credential().usable);
}

TEST_F(ChannelTest, AClosedChannelHearsOfNoToken) {
    token_endpoint.script(testing::token_server::grant("ya29.first", 3600));
    open_fcm(1);
    opened->wake();
    opened.reset();
    ASSERT_TRUE(loop_until(loop, [&] { return provider_->credential().issued_at.has_value(); }));
    loop.restart();
    loop.run_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(source.verdicts.empty());
}

}  // namespace
}  // namespace tocsin
