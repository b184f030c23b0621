#include "tests/providers/apns/line_fixture.hpp"

#include <string>

namespace tocsin::apns {
namespace {

using namespace std::chrono_literals;
using enum reaction;

TEST_F(ApnsLineTest, WritesTheRequestThatAppleAsksFor) {
    add();
    const auto fields = next(production);
    EXPECT_EQ(fields.at(":method"), "POST");
    EXPECT_EQ(fields.at(":scheme"), "https");
    EXPECT_EQ(fields.at(":authority"), "api.push.apple.com");
    std::string path = "/3/device/";
    for (int i = 0; i < 32; ++i) {
        path += "ab";
    }
    EXPECT_EQ(fields.at(":path"), path);
    EXPECT_EQ(fields.at("authorization"), token.slot().load()->authorization);
    EXPECT_EQ(fields.at("apns-topic"), "fr.example.dijon");
    EXPECT_EQ(fields.at("apns-push-type"), "alert");
    EXPECT_EQ(fields.at("apns-priority"), "10");
    EXPECT_EQ(fields.at("apns-collapse-id"), "crue-ouche");
    EXPECT_EQ(fields.at("apns-expiration"), content->headers().expiration);
    EXPECT_EQ(fields.at("apns-id").size(), 36U);
    EXPECT_EQ(request.body[0], content->body(0));
    EXPECT_EQ(production.in_flight(), 1U);
    // Pseudo-header fields first, and what differs from push to push or event to event kept out of the table.
    bool ordinary = false;
    for (std::size_t i = 0; i < request.field_count; ++i) {
        const auto& each = request.fields[i];
        EXPECT_FALSE(ordinary && each.name.starts_with(':'));
        ordinary = ordinary || !each.name.starts_with(':');
        const bool of_the_push = each.name == ":path" || each.name == "apns-id";
        const bool of_the_event = each.name == "apns-expiration" || each.name == "apns-collapse-id";
        EXPECT_EQ(each.how == http2::indexing::never, of_the_push || of_the_event) << each.name;
    }
}

TEST_F(ApnsLineTest, RepeatsAPushUnderTheSameId) {
    add();
    add();
    const auto first = next(production).at("apns-id");
    EXPECT_EQ(next(production).at("apns-id"), first);
    add(false, std::string(32, '\xCD'));
    EXPECT_NE(next(production).at("apns-id"), first);
}

TEST_F(ApnsLineTest, HasNothingWhenTheSourceHasNothing) {
    EXPECT_TRUE(next(production).empty());
}

TEST_F(ApnsLineTest, SettlesASuccess) {
    push& item = add();
    next(production);
    EXPECT_EQ(answer(production, 200), http2::connection_advice::keep);
    ASSERT_EQ(source.verdicts.size(), 1U);
    EXPECT_EQ(source.verdicts[0].item, &item);
    EXPECT_EQ(source.verdicts[0].action, accept);
    EXPECT_EQ(source.verdicts[0].status, 200);
    EXPECT_EQ(source.verdicts[0].provider_id, "the-id");
    EXPECT_EQ(item.written_at, time.now());
    EXPECT_EQ(production.in_flight(), 0U);
    EXPECT_EQ(shard.counter(metric::provider_responses_total, {"dijon", "apns", "200", ""}).read(), 1U);
}

TEST_F(ApnsLineTest, SettlesARefusal) {
    add();
    next(production);
    EXPECT_EQ(
        answer(production, 410, R"({"reason":"Unregistered","timestamp":1763870000123})"),
        http2::connection_advice::keep);
    EXPECT_EQ(source.verdicts[0].action, drop_token);
    EXPECT_EQ(source.verdicts[0].reason, "Unregistered");
    EXPECT_EQ(source.verdicts[0].dead_since, wall_time(1'763'870'000'123ms));
    EXPECT_EQ(
        shard.counter(metric::provider_responses_total, {"dijon", "apns", "410", "Unregistered"}).read(), 1U);
}

TEST_F(ApnsLineTest, KeepsThreeKindsOfNotKnowingApart) {
    for (const auto why :
         {http2::failure::not_processed, http2::failure::unknown, http2::failure::timed_out}) {
        add();
        next(production);
        http2::failed_request failed;
        failed.context = request.context;
        failed.why = why;
        production.on_failure(failed);
    }
    ASSERT_EQ(source.verdicts.size(), 3U);
    EXPECT_EQ(source.verdicts[0].action, resend);
    EXPECT_EQ(source.verdicts[1].action, unknown);
    EXPECT_EQ(source.verdicts[1].reason, "ConnectionLost");
    EXPECT_EQ(source.verdicts[2].action, unknown);
    EXPECT_EQ(source.verdicts[2].reason, "Timeout");
    EXPECT_EQ(production.in_flight(), 0U);
}

TEST_F(ApnsLineTest, ATokenThatIsTooLongIsNotSent) {
    add(false, std::string(201, 'x'));
    add(false, "");
    push& good = add(false, std::string(200, 'x'));
    EXPECT_EQ(next(production).at(":path").size(), 10U + 400U);
    EXPECT_EQ(request.context, &good);
    ASSERT_EQ(source.verdicts.size(), 2U);
    EXPECT_EQ(source.verdicts[0].action, reject_push);
    EXPECT_EQ(source.verdicts[0].reason, "MalformedToken");
}

}  // namespace
}  // namespace tocsin::apns
