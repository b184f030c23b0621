#include "engine/ops/metrics.hpp"
#include "providers/fcm/provider.hpp"
#include "tests/providers/auth/test_keys.hpp"
#include "tests/providers/auth/token_server.hpp"
#include "tests/support/h2_tls_server.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/recorded_source.hpp"
#include "tests/support/sample_event.hpp"
#include "tests/support/throw_away_ca.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <list>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

using namespace std::chrono_literals;
using testing::loop_until;

/// Two apps that send to one host.
class FcmReliefTest : public ::testing::Test {
protected:
    struct customer {
        explicit customer(FcmReliefTest& test, const std::string& app)
            : counters_of(test.all_metrics.add_shard()) {
            auto shared = std::make_shared<service>();
            shared->app = app;
            shared->where = {
                parse_https_url("https://localhost:" + std::to_string(test.google.port()), "url").value(),
                "fcm", test.google_tls};
            shared->path = "/v1/projects/mairies/messages:send";
            shared->tokens = test.tokens;
            shared->connections = test.connections;
            shared->host = test.host;
            provider = std::make_unique<fcm_provider>(std::move(shared), test.time);
            publish_event event = testing::flood_event();
            event.expires_at = test.time.wall_now() + 1h;
            content = provider->render(event).value();
            opened = provider->open({test.loop.get_executor(), 0, test.time, test.log, counters_of, source});
        }
        void add(std::size_t count) {
            for (std::size_t i = 0; i < count; ++i) {
                push& made = pushes.emplace_back();
                made.token = "dev:ice";
                made.content = content.get();
                source.waiting.push_back(&made);
            }
        }
        [[nodiscard]] auto settled(reaction how) const {
            return std::ranges::count(source.verdicts, how, &testing::recorded_source::settled::action);
        }

        metrics_shard& counters_of;
        std::unique_ptr<fcm_provider> provider;
        std::shared_ptr<const message> content;
        testing::recorded_source source;
        std::list<push> pushes;
        std::unique_ptr<channel> opened;
    };

    std::shared_ptr<net::tls_context> trusting(const std::string& file, const std::string& alpn) {
        net::tls_options options;
        options.ca_file = file;
        options.alpn = alpn;
        return net::tls_context::create(options).value();
    }
    void TearDown() override {
        tokens.reset();
        token_endpoint.close();
        loop.restart();
        loop.run_for(20ms);
    }

    boost::asio::io_context loop{1};
    system_time_source time;
    null_logger log;
    metrics all_metrics;
    testing::throw_away_ca ca;
    testing::h2_tls_server google{loop, ca};
    testing::token_server token_endpoint{loop};
    testing::temporary_file token_root{token_endpoint.certificate()};
    std::shared_ptr<net::tls_context> google_tls = trusting(ca.file(), "h2");
    std::shared_ptr<connection_registry> connections = std::make_shared<connection_registry>(1, time, log, 1);
    std::shared_ptr<host_relief> host = std::make_shared<host_relief>(1, relief_policy{200ms, 1'000ms, 50ms});
    std::shared_ptr<auth::oauth_token_source> tokens = std::make_shared<auth::oauth_token_source>(
        loop.get_executor(),
        auth::parse_service_account(boost::json::serialize(boost::json::object{
                                        {"type", "service_account"},
                                        {"project_id", "mairies"},
                                        {"private_key_id", "abc123"},
                                        {"private_key", testing::test_key::rsa(2048).pem()},
                                        {"client_email", "push@mairies.iam.gserviceaccount.com"},
                                        {"token_uri", token_endpoint.url()}}))
            .value(),
        trusting(token_root.path(), "http/1.1"), time, log, 1);
};

TEST_F(FcmReliefTest, AnOverloadedHostHoldsAllAppsAndIsSentToAgainWithoutBeingAskedTo) {
    token_endpoint.script(testing::token_server::grant("ya29.first", 3600));
    google.on_request = [this](auto& peer, std::int32_t stream, const auto&) {
        if (google.requests() <= 60) {
            peer.http2.respond(stream, "503", R"({"error":{"status":"UNAVAILABLE","message":"x"}})");
        } else {
            peer.http2.respond(stream, "200", R"({"name":"projects/mairies/messages/1"})");
        }
    };
    customer first(*this, "mairies");
    customer second(*this, "dijon");
    first.add(60);
    first.opened->wake();
    ASSERT_TRUE(loop_until(loop, [&] { return first.settled(reaction::retry_elsewhere) == 60; }));
    EXPECT_TRUE(host->in_trouble());
    const time_point paused_until = host->next_try();

    first.add(5);
    second.add(5);
    first.opened->wake();
    second.opened->wake();
    ASSERT_TRUE(loop_until(loop, [&] { return google.requests() > 60; }));
    EXPECT_GE(time.now(), paused_until);
    EXPECT_EQ(google.requests(), 61U) << "one probe, and not all that waits";
    ASSERT_TRUE(loop_until(
        loop, [&] { return first.settled(reaction::accept) == 5 && second.settled(reaction::accept) == 5; }));
    EXPECT_FALSE(host->in_trouble());
}

}  // namespace
}  // namespace tocsin::fcm
