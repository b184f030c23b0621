#include "providers/fcm/line.hpp"

#include "engine/ops/metrics.hpp"
#include "providers/fcm/renderer.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/recorded_source.hpp"
#include "tests/support/request_fields.hpp"
#include "tests/support/sample_event.hpp"

#include <boost/json/parse.hpp>

#include <list>
#include <map>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

using namespace std::chrono_literals;
using enum reaction;

class FcmLineTest : public ::testing::Test {
protected:
    push& add(bool is_fid = false) {
        push& made = pushes.emplace_back();
        made.token = "dev:ice_1";
        made.content = content.get();
        made.is_fid = is_fid;
        source.waiting.push_back(&made);
        return made;
    }

    void issue(const std::string& value) {
        auto made = std::make_shared<issued_token>();
        made->authorization = "Bearer " + value;
        slot.store(std::move(made));
    }

    std::map<std::string, std::string> next() {
        request.clear();
        if (!subject.next_request(1, time.now(), request)) {
            return {};
        }
        return testing::fields_of(request);
    }

    http2::connection_advice advice = http2::connection_advice::keep;

    void answer(int status, std::string_view body = "") {
        http2::response said;
        said.context = request.context;
        said.status = status;
        said.body = body;
        said.connection = 1;
        said.written_at = time.now();
        said.answered_at = time.now();
        advice = subject.on_response(said);
        EXPECT_NE(advice, http2::connection_advice::drain);
    }

    reaction exchange(int status, std::string_view body = "") {
        add();
        EXPECT_FALSE(next().empty());
        answer(status, body);
        return source.verdicts.back().action;
    }

    const std::string app = "dijon";
    const std::string authority = "fcm.googleapis.com";
    const std::string path = "/v1/projects/mairies/messages:send";
    testing::manual_time time;
    null_logger log;
    metrics all_metrics;
    metrics_shard& shard = all_metrics.add_shard();
    response_counters counters{shard, "dijon", platform::fcm};
    credential_health health;
    apple_trouble apple;
    project_record project;
    host_relief host{1};
    std::optional<time_point> held_until;
    token_slot slot;
    testing::recorded_source source;
    auth::renewal renewal = auth::renewal::renewed;
    int refreshes = 0;
    std::shared_ptr<const rendered_message> content =
        renderer("dijon").render(testing::flood_event(), time.wall_now()).value();
    std::list<push> pushes;
    http2::request request;
    line subject{
        {app, authority, path, source, time, log, counters, health, apple, project, host, slot,
         [this](time_point, time_point) {
             ++refreshes;
             return renewal;
         },
         [this](time_point until) { held_until = until; }}};
};

constexpr std::string_view invalid_argument =
    R"({"error":{"status":"INVALID_ARGUMENT","message":"x","details":[
        {"@type":"x/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"}]}})";
constexpr std::string_view unclear_quota =
    R"({"error":{"status":"RESOURCE_EXHAUSTED","message":"x","details":[
        {"@type":"x/google.firebase.fcm.v1.FcmError","errorCode":"QUOTA_EXCEEDED"}]}})";

TEST_F(FcmLineTest, DrawsNothingWithoutAToken) {
    add();
    EXPECT_FALSE(subject.can_send());
    EXPECT_TRUE(next().empty());
    EXPECT_EQ(source.waiting.size(), 1U);
    issue("ya29.x");
    EXPECT_TRUE(subject.can_send());
    EXPECT_FALSE(next().empty());
}

TEST_F(FcmLineTest, WritesTheRequestThatGoogleAsksFor) {
    issue("ya29.x");
    add();
    const auto fields = next();
    EXPECT_EQ(fields.at(":method"), "POST");
    EXPECT_EQ(fields.at(":scheme"), "https");
    EXPECT_EQ(fields.at(":authority"), "fcm.googleapis.com");
    EXPECT_EQ(fields.at(":path"), path);
    EXPECT_EQ(fields.at("authorization"), "Bearer ya29.x");
    EXPECT_EQ(fields.at("content-type"), "application/json");
    std::string body;
    for (const std::string_view part : request.body) {
        body += part;
    }
    EXPECT_EQ(boost::json::parse(body).at("message").at("token"), boost::json::value("dev:ice_1"));
    for (std::size_t i = 0; i < request.field_count; ++i) {
        EXPECT_EQ(request.fields[i].how, http2::indexing::keep);
    }
    add(true);
    next();
    EXPECT_TRUE(request.body[0].ends_with("\"fid\":\""));
}

TEST_F(FcmLineTest, UsesTheNewTokenAsSoonAsThereIsOne) {
    issue("one");
    add();
    EXPECT_EQ(next().at("authorization"), "Bearer one");
    issue("two");
    add();
    EXPECT_EQ(next().at("authorization"), "Bearer two");
}

TEST_F(FcmLineTest, SettlesASuccess) {
    issue("x");
    EXPECT_EQ(exchange(200, R"({"name":"projects/mairies/messages/1"})"), accept);
    EXPECT_EQ(source.verdicts[0].provider_id, "projects/mairies/messages/1");
    EXPECT_EQ(subject.in_flight(), 0U);
    EXPECT_TRUE(project.works(time.now()));
    EXPECT_TRUE(content->accepted());
    EXPECT_EQ(shard.counter(metric::provider_responses_total, {"dijon", "fcm", "200", ""}).read(), 1U);
}

TEST_F(FcmLineTest, InvalidArgumentIsTheEventsFaultUntilItWasAccepted) {
    issue("x");
    EXPECT_EQ(exchange(400, invalid_argument), reject_event);
    exchange(200);
    EXPECT_EQ(exchange(400, invalid_argument), reject_push);
}

TEST_F(FcmLineTest, ABareNotFoundIsDoubtedAndDropsNobody) {
    issue("x");
    const std::string_view body = R"({"error":{"status":"NOT_FOUND","message":"x"}})";
    EXPECT_EQ(exchange(404, body), reject_push);
    exchange(200);
    EXPECT_EQ(exchange(404, body), doubt_token);
    time.advance(11min);
    EXPECT_EQ(exchange(404, body), reject_push);
}

TEST_F(FcmLineTest, OnlyWhatIsTakenOrJudgedShowsThatTheServiceWorks) {
    issue("x");
    exchange(200);
    EXPECT_EQ(advice, http2::connection_advice::keep);
    exchange(500);
    EXPECT_EQ(advice, http2::connection_advice::doubt);
    exchange(400, invalid_argument);
    EXPECT_EQ(advice, http2::connection_advice::keep);
    exchange(503);
    EXPECT_EQ(advice, http2::connection_advice::doubt);
    exchange(401);
    EXPECT_EQ(advice, http2::connection_advice::doubt);
}

TEST_F(FcmLineTest, AskForANewTokenWhenTheirsIsRefused) {
    issue("x");
    EXPECT_EQ(exchange(401), refresh_credential);
    EXPECT_EQ(refreshes, 1);
    EXPECT_FALSE(health.problem().has_value());
}

TEST_F(FcmLineTest, AFreshTokenThatIsRefusedPausesTheApp) {
    issue("x");
    renewal = auth::renewal::too_young;
    EXPECT_EQ(exchange(401), pause_app);
    EXPECT_TRUE(health.problem().has_value());
    exchange(200);
    EXPECT_FALSE(health.problem().has_value());
}

TEST_F(FcmLineTest, AnAppleCredentialFaultHoldsNobodyElseAndAsksForNoToken) {
    issue("x");
    EXPECT_EQ(
        exchange(
            401, R"({"error":{"status":"UNAUTHENTICATED","message":"Expected OAuth 2 access token","details":[
            {"@type":"x/google.firebase.fcm.v1.FcmError","errorCode":"THIRD_PARTY_AUTH_ERROR"}]}})"),
        postpone);
    EXPECT_EQ(source.verdicts[0].retry_after, 30s) << "one finds out when it is over";
    EXPECT_EQ(refreshes, 0);
    EXPECT_FALSE(health.problem().has_value()) << "Android is reached";
    EXPECT_TRUE(apple.lasts(time.now()));
    exchange(200);
    EXPECT_FALSE(apple.lasts(time.now())) << "the same device was accepted";
}

TEST_F(FcmLineTest, ManyUnclearQuotaAnswersAreTheProjects) {
    issue("x");
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(exchange(429, unclear_quota), retry_here);
    }
    EXPECT_EQ(exchange(429, unclear_quota), pause_quota);
    EXPECT_EQ(source.verdicts.back().retry_after, 60s);
    time.advance(2s);
    EXPECT_EQ(exchange(429, unclear_quota), retry_here);
}

TEST_F(FcmLineTest, ManyUnavailableAnswersHoldWhateverGoesToTheHost) {
    issue("x");
    constexpr std::string_view unavailable = R"({"error":{"status":"UNAVAILABLE","message":"x"}})";
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(exchange(503, unavailable), retry_elsewhere);
    }
    EXPECT_FALSE(host.in_trouble());
    exchange(503, unavailable);
    EXPECT_TRUE(host.in_trouble());

    add();
    EXPECT_TRUE(next().empty());
    EXPECT_EQ(source.waiting.size(), 1U) << "what cannot be sent is not taken";
    ASSERT_TRUE(held_until.has_value());
    time.advance(*held_until - time.now());
    EXPECT_FALSE(next().empty()) << "the probe";
    add();
    EXPECT_TRUE(next().empty()) << "one at a time";
    source.waiting.clear();
}

TEST_F(FcmLineTest, AHostThatAnswersAProbeIsSentToAtFullSpeed) {
    issue("x");
    host.overloaded(time.now(), std::nullopt);
    time.advance(host.next_try() - time.now());
    EXPECT_EQ(exchange(200), accept);
    EXPECT_FALSE(host.in_trouble());
    EXPECT_EQ(exchange(200), accept);
}

TEST_F(FcmLineTest, AHostThatTurnsTheProbeAwayIsLeftAloneForLonger) {
    issue("x");
    host.overloaded(time.now(), std::nullopt);
    time.advance(host.next_try() - time.now());
    EXPECT_EQ(exchange(503), retry_elsewhere);
    EXPECT_GE(host.next_try(), time.now() + 20s);
}

TEST_F(FcmLineTest, KeepsThreeKindsOfNotKnowingApart) {
    issue("x");
    for (const auto why :
         {http2::failure::not_processed, http2::failure::unknown, http2::failure::timed_out}) {
        add();
        next();
        http2::failed_request failed;
        failed.context = request.context;
        failed.why = why;
        subject.on_failure(failed);
    }
    ASSERT_EQ(source.verdicts.size(), 3U);
    EXPECT_EQ(source.verdicts[0].action, resend);
    EXPECT_FALSE(source.verdicts[0].retry_after.has_value());
    EXPECT_EQ(source.verdicts[1].action, unknown);
    EXPECT_EQ(source.verdicts[1].retry_after, 10s);
    EXPECT_EQ(source.verdicts[2].action, unknown);
    EXPECT_EQ(source.verdicts[2].reason, "Timeout");
    EXPECT_EQ(subject.in_flight(), 0U);
}

}  // namespace
}  // namespace tocsin::fcm
