#include "engine/core/text.hpp"
#include "engine/ops/metrics.hpp"
#include "providers/apns/settings.hpp"
#include "providers/factory.hpp"
#include "providers/fcm/settings.hpp"
#include "tests/interop/foreign_server.hpp"
#include "tests/providers/auth/token_server.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/recorded_source.hpp"
#include "tests/support/sample_event.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <list>
#include <map>
#include <string>

#include <gtest/gtest.h>

// Both providers as a whole, against Node playing APNs and FCM.

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using enum reaction;
using testing::foreign_server;
using testing::recorded_source;
using testing::temporary_file;

class ProviderInteropTest : public ::testing::Test {
protected:
    ProviderInteropTest() {
        app.id = "dijon";
        event.expires_at = time.wall_now() + 1h;
    }
    void TearDown() override {
        opened.reset();
        provider_.reset();
        token_endpoint.close();
        loop.restart();
        loop.run_for(50ms);
    }

    [[nodiscard]] std::string address() const { return "https://localhost:" + std::to_string(server.port()); }

    void open() {
        settings configuration;
        configuration.apps = {app};
        auto made = make_providers(configuration, {loop.get_executor(), 1, time, log, 1});
        ASSERT_TRUE(made.has_value()) << made.error().message;
        provider_ = made->at(0);
        content = provider_->render(event).value();
        opened = provider_->open({loop.get_executor(), 0, time, log, shard, source});
    }

    void add(const std::string& token) {
        tokens.push_back(token);
        push& made = pushes.emplace_back();
        made.token = tokens.back();
        made.content = content.get();
        source.waiting.push_back(&made);
    }

    /// Sends what was added; the verdict on each token.
    std::map<std::string_view, recorded_source::settled> verdicts() {
        opened->wake();
        EXPECT_TRUE(testing::loop_until(loop, [&] { return source.verdicts.size() >= pushes.size(); }));
        std::map<std::string_view, recorded_source::settled> out;
        for (const auto& each : source.verdicts) {
            EXPECT_TRUE(out.emplace(each.item->token, each).second) << "settled twice";
        }
        return out;
    }
    std::uint64_t responses(const char* on, const char* status, const char* reason) {
        return shard.counter(metric::provider_responses_total, {"dijon", on, status, reason}).read();
    }

    boost::asio::io_context loop{1};
    foreign_server server{foreign_server::kind::node, R"({"plan":"slow_bodies","streams":100})"};
    testing::token_server token_endpoint{loop};
    temporary_file apns_key{testing::test_key::p256().pem()};
    temporary_file roots{server.authority().certificate() + token_endpoint.certificate()};
    temporary_file account{boost::json::serialize(boost::json::object{
        {"type", "service_account"},
        {"project_id", "interop"},
        {"private_key_id", "abc123"},
        {"private_key", testing::test_key::rsa(2048).pem()},
        {"client_email", "push@interop.iam.gserviceaccount.com"},
        {"token_uri", token_endpoint.url()}})};
    system_time_source time;
    null_logger log;
    metrics all_metrics;
    metrics_shard& shard = all_metrics.add_shard();
    publish_event event = testing::flood_event();
    app_settings app;
    recorded_source source;
    std::list<std::string> tokens;
    std::list<push> pushes;
    std::shared_ptr<provider> provider_;
    std::shared_ptr<const message> content;
    std::unique_ptr<channel> opened;
};

TEST_F(ProviderInteropTest, ApnsAnswersAreUnderstood) {
    apns_settings& given = app.add<apns_settings>();
    given.url = address();
    given.sandbox_url = address();
    given.topic = "fr.example.dijon";
    given.team_id = "ABCDE12345";
    given.key_id = "KEY1234567";
    given.key_file = apns_key.path();
    given.ca_file = server.authority().file();
    open();
    const auto token = [](int kind) {
        std::string out(32, '\x11');
        out[0] = static_cast<char>(kind);
        return out;
    };
    for (const int kind : {0xA0, 0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5}) {
        add(token(kind));
    }
    auto found = verdicts();
    EXPECT_EQ(found[token(0xA0)].action, accept);
    EXPECT_EQ(found[token(0xA0)].provider_id.size(), 36U) << "the apns-id that we sent comes back";
    EXPECT_EQ(found[token(0xD0)].action, drop_token);
    EXPECT_EQ(found[token(0xD0)].dead_since, wall_time(1'700'000'000s));
    EXPECT_EQ(found[token(0xD1)].action, doubt_token);
    EXPECT_EQ(found[token(0xD2)].action, reject_event);
    EXPECT_EQ(found[token(0xD3)].action, retry_here);
    EXPECT_EQ(found[token(0xD3)].retry_after, 60s);
    EXPECT_EQ(found[token(0xD4)].action, retry_elsewhere);
    EXPECT_EQ(found[token(0xD5)].action, reject_push);
    EXPECT_EQ(found[token(0xD5)].reason, "InventedNextYear");
    EXPECT_EQ(responses("apns", "410", "Unregistered"), 1U);
    EXPECT_EQ(responses("apns", "400", "InventedNextYear"), 1U);
    const auto seen = server.stop();
    EXPECT_EQ(seen.at("processed").as_object().size(), 7U);
    EXPECT_EQ(seen.at("processed").at(to_hex(token(0xD0))).to_number<int>(), 1);
}

TEST_F(ProviderInteropTest, FcmAnswersAreUnderstood) {
    token_endpoint.script(testing::token_server::grant("ya29.interop", 3600));
    fcm_settings& given = app.add<fcm_settings>();
    given.url = address();
    given.service_account_file = account.path();
    given.ca_file = roots.path();
    open();
    for (const char* const token :
         {"fine:1", "gone:1", "quota:1", "busy:1", "sender:1", "html:1", "apple:1"}) {
        add(token);
    }
    auto found = verdicts();
    EXPECT_EQ(found["fine:1"].action, accept);
    EXPECT_TRUE(found["fine:1"].provider_id.starts_with("projects/interop/messages/"));
    EXPECT_EQ(found["gone:1"].action, drop_token);
    EXPECT_EQ(found["gone:1"].reason, "UNREGISTERED");
    EXPECT_EQ(found["quota:1"].action, retry_here);
    EXPECT_EQ(found["quota:1"].retry_after, 42s);
    EXPECT_EQ(found["busy:1"].action, retry_elsewhere);
    EXPECT_EQ(found["busy:1"].retry_after, 10s);
    EXPECT_EQ(found["sender:1"].action, doubt_token);
    EXPECT_EQ(found["html:1"].action, retry_elsewhere);
    EXPECT_EQ(found["html:1"].status, 502);
    EXPECT_EQ(found["apple:1"].action, doubt_token);
    EXPECT_EQ(found["apple:1"].reason, "Unregistered");
    EXPECT_EQ(responses("fcm", "404", "UNREGISTERED"), 1U);
    EXPECT_EQ(server.stop().at("processed").as_object().size(), 7U);
}

}  // namespace
}  // namespace tocsin
