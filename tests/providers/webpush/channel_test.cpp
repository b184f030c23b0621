#include "providers/webpush/channel.hpp"

#include "engine/event/subscription.hpp"
#include "engine/ops/metrics.hpp"
#include "providers/webpush/answers.hpp"
#include "providers/webpush/renderer.hpp"
#include "tests/providers/auth/test_keys.hpp"
#include "tests/support/h2_tls_server.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/recorded_source.hpp"
#include "tests/support/sample_event.hpp"
#include "tests/support/throw_away_ca.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::webpush {
namespace {

using namespace std::chrono_literals;
using testing::h2_tls_server;

constexpr std::size_t most_places = 256;

class WebPushChannelTest : public ::testing::Test {
protected:
    WebPushChannelTest() {
        net::tls_options options;
        options.ca_file = ca.file();
        options.alpn = "h2";
        shared->app = "dijon";
        shared->tls = net::tls_context::create(options).value();
        shared->tokens = std::make_shared<vapid_tokens>(
            auth::es256_signer::from_pem(testing::test_key::p256().pem()).value(), "BPublic",
            "mailto:dsi@example.fr");
        shared->connections = std::make_shared<connection_registry>(1, time, log, 1);
    }
    ~WebPushChannelTest() override {
        subject.reset();
        pools.clear();
        loop.restart();
        loop.run_for(20ms);  // The handlers of what was closed.
    }

    void open() {
        subject = std::make_unique<webpush_channel>(
            shared, encryptor::create().value(),
            channel_context{loop.get_executor(), 0, time, log, shard, source});
    }
    /// Lists a service, whose pool dials nobody: the loop that it waits for is never run.
    std::string add_resting_service() {
        const std::string origin = "https://s" + std::to_string(pools.size()) + ".push.example.org";
        shared->services.push_back(origin);
        pools.push_back(shared->connections->get(
            0, resting.get_executor(), {parse_https_url(origin, "origin").value(), "webpush", shared->tls},
            {}));
        return origin;
    }
    push& add(const std::string& endpoint) {
        push& made = pushes.emplace_back();
        endpoints.push_back(endpoint);
        made.token = endpoints.back();
        made.keys = keys;
        made.content = content.get();
        source.waiting.push_back(&made);
        return made;
    }
    /// What one wake takes from the source.
    void take_once() {
        subject->wake();
        loop.restart();
        loop.poll();
    }
    void take_all() {
        while (!source.waiting.empty()) {
            take_once();
        }
    }
    [[nodiscard]] bool run_until(const std::function<bool()>& done) {
        return testing::loop_until(loop, done);
    }

    const std::string keys =
        read_subscription_keys(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg")
            .value();
    boost::asio::io_context loop{1};
    boost::asio::io_context resting{1};
    testing::manual_time time;
    null_logger log;
    metrics all_metrics;
    metrics_shard& shard = all_metrics.add_shard();
    testing::throw_away_ca ca;
    testing::recorded_source source;
    std::shared_ptr<const rendered_message> content =
        renderer("dijon", "https://www.example.fr/").render(testing::flood_event()).value();
    std::list<std::string> endpoints;
    std::list<push> pushes;
    std::shared_ptr<service> shared = std::make_shared<service>();
    std::vector<std::shared_ptr<http2::pool>> pools;
    std::unique_ptr<webpush_channel> subject;
};

TEST_F(WebPushChannelTest, NothingIsSentToAServiceThatIsNeitherKnownNorListed) {
    const std::string listed = add_resting_service();
    open();
    add("https://evil.example/send/a");
    add(listed + "/send/a");
    add(listed + ":444/send/a");
    take_all();
    ASSERT_EQ(source.verdicts.size(), 2U);
    for (const auto& one : source.verdicts) {
        EXPECT_EQ(one.action, reaction::reject_push);
        EXPECT_EQ(one.reason, service_not_allowed);
    }
    EXPECT_EQ(subject->statistics().in_flight, 1U) << "it waits for a connection";
}

TEST_F(WebPushChannelTest, AnEndpointThatIsNoneEndsItsOwnPushAlone) {
    const std::string listed = add_resting_service();
    open();
    for (const std::string& endpoint : {listed, std::string("http://push.example.org/a"), std::string("x")}) {
        add(endpoint);
    }
    add(listed + "/send/a");
    take_all();
    ASSERT_EQ(source.verdicts.size(), 3U);
    for (const auto& one : source.verdicts) {
        EXPECT_EQ(one.action, reaction::reject_push);
        EXPECT_EQ(one.reason, damaged_keys);
    }
    EXPECT_EQ(subject->statistics().in_flight, 1U);
}

TEST_F(WebPushChannelTest, HoweverOftenItIsWokenItTakesOneBatchATurn) {
    const std::string listed = add_resting_service();
    open();
    for (int i = 0; i < 70; ++i) {
        add(listed + "/send/a");
    }
    subject->wake();
    take_once();
    EXPECT_EQ(source.waiting.size(), 38U);
    take_once();
    EXPECT_EQ(source.waiting.size(), 6U);
}

TEST_F(WebPushChannelTest, WhereEveryPlaceIsInUseTheNextServiceWaits) {
    for (std::size_t i = 0; i <= most_places; ++i) {
        add(add_resting_service() + "/send/a");
    }
    open();
    take_all();
    ASSERT_EQ(source.verdicts.size(), 1U);
    EXPECT_EQ(source.verdicts[0].item, &pushes.back());
    EXPECT_EQ(source.verdicts[0].action, reaction::resend);
    EXPECT_EQ(source.verdicts[0].reason, service_busy);
    EXPECT_EQ(source.verdicts[0].retry_after, 5s);
    EXPECT_EQ(subject->statistics().in_flight, most_places);
}

TEST_F(WebPushChannelTest, TheServiceThatWasSilentForLongestMakesRoom) {
    for (std::size_t i = 0; i < most_places; ++i) {
        add_resting_service();
    }
    const std::string another = add_resting_service();
    open();
    // The third is the oldest, whatever the order of the table.
    add(shared->services[2] + "/send/a");
    take_all();
    time.advance(1ms);
    for (std::size_t i = 0; i < most_places; ++i) {
        add(shared->services[i] + "/send/a");
    }
    take_all();
    time.advance(3s);
    ASSERT_TRUE(run_until([&] { return source.verdicts.size() == most_places + 1; }))
        << "all gave up waiting";
    EXPECT_EQ(pools[2].use_count(), 2);
    add(another + "/send/a");
    take_all();
    EXPECT_EQ(subject->statistics().in_flight, 1U);
    EXPECT_EQ(pools[2].use_count(), 1) << "its pool is let go of";
    EXPECT_EQ(std::ranges::count(pools, 2, &std::shared_ptr<http2::pool>::use_count), most_places);
}

TEST_F(WebPushChannelTest, AServiceIsForgottenAfterFiveMinutesOfSilence) {
    add(add_resting_service() + "/send/a");
    open();
    take_all();
    time.advance(10min);
    ASSERT_TRUE(run_until([&] { return source.verdicts.size() == 1; }));
    EXPECT_EQ(pools[0].use_count(), 2) << "what waited went back first";
    EXPECT_TRUE(run_until([&] { return pools[0].use_count() == 1; }));
}

TEST_F(WebPushChannelTest, PushesGoToTheServicesThatTheirDevicesName) {
    h2_tls_server first(loop, ca);
    h2_tls_server second(loop, ca);
    for (h2_tls_server* const one : {&first, &second}) {
        one->on_request = [](auto& peer, std::int32_t stream, const auto&) {
            peer.http2.respond(stream, "201");
        };
    }
    const auto address = [](const h2_tls_server& of) {
        return "https://localhost:" + std::to_string(of.port());
    };
    shared->services = {address(first), address(second)};
    open();
    for (int i = 0; i < 20; ++i) {
        add(address(i % 4 == 0 ? second : first) + "/send/a");
    }
    subject->wake();
    ASSERT_TRUE(run_until([&] { return source.verdicts.size() == 20; }));
    EXPECT_TRUE(std::ranges::all_of(
        source.verdicts, [](const auto& each) { return each.action == reaction::accept; }));
    EXPECT_EQ(first.requests(), 15U);
    EXPECT_EQ(second.requests(), 5U);
    EXPECT_EQ(subject->statistics().in_flight, 0U);
    EXPECT_EQ(subject->statistics().connections_ready, 2U);
    EXPECT_FALSE(subject->statistics().saturated);
}

TEST_F(WebPushChannelTest, OneThatIsGoneTakesNothingMore) {
    add(add_resting_service() + "/send/a");
    open();
    subject->wake();
    subject.reset();
    loop.poll();
    EXPECT_EQ(source.waiting.size(), 1U);
}

}  // namespace
}  // namespace tocsin::webpush
