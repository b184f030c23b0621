#include "tools/simulator/behaviour.hpp"

#include "tools/simulator/dead_token.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tocsin::sim {
namespace {

behaviour_change changed(std::string_view document, const behaviour& from = {}) {
    auto out = change_behaviour(from, boost::json::parse(document));
    EXPECT_TRUE(out.has_value()) << (out ? "" : out.error().message);
    return out ? *out : behaviour_change{};
}

std::string problem(std::string_view document) {
    const auto out = change_behaviour({}, boost::json::parse(document));
    return out ? "accepted" : out.error().message;
}

TEST(Behaviour, ChangesOnlyWhatIsNamed) {
    const auto first = changed(R"({"apns": {"dead_share": 0.25, "latency": {"fixed_ms": 5}}})").next;
    const auto second =
        changed(R"({"apns": {"latency": {"min_ms": 1, "max_ms": 9}}, "seed": 7})", first).next;
    EXPECT_DOUBLE_EQ(second.of(provider::apns).dead_share, 0.25);
    EXPECT_EQ(second.of(provider::apns).delay, (latency{latency::shape::uniform, 1, 9}));
    EXPECT_EQ(second.seed, 7U);
    EXPECT_EQ(second.of(provider::fcm).delay, latency{});
}

TEST(Behaviour, AProvidersOwnSectionIsAnExceptionFromAll) {
    const auto next = changed(R"({"fcm": {"dead_share": 0}, "all": {"dead_share": 0.5}})").next;
    EXPECT_DOUBLE_EQ(next.of(provider::apns).dead_share, 0.5);
    EXPECT_DOUBLE_EQ(next.of(provider::sandbox).dead_share, 0.5);
    EXPECT_DOUBLE_EQ(next.of(provider::fcm).dead_share, 0);
}

TEST(Behaviour, ReadsErrorsScriptsFaultsAndActions) {
    const auto change = changed(R"({
        "fcm": {"errors": [{"reason": "UNAVAILABLE", "share": 0.1, "retry_after": 30}],
                "dead_tokens": ["gone"],
                "answers": [{"token": "t", "then": [{"reason": "INTERNAL", "delay_ms": 5}, {"fate": "reset"}]}],
                "faults": {"reset_share": 0.5, "reset_code": 8, "error_bodies": "split"}},
        "now": [{"action": "goaway_middle", "provider": "fcm", "code": 2, "debug": "x"},
                {"action": "settings", "max_concurrent_streams": 3}]})");
    const auto& fcm = change.next.of(provider::fcm);
    ASSERT_EQ(fcm.errors.size(), 1U);
    EXPECT_EQ(fcm.errors[0].reason, index_of(fcm::reason::unavailable));
    EXPECT_EQ(fcm.errors[0].retry_after, 30U);
    EXPECT_TRUE(fcm.dead_tokens.contains(token_key("gone")));
    ASSERT_TRUE(fcm.scripts.contains(token_key("t")));
    EXPECT_EQ(fcm.scripts.at(token_key("t")).answers.size(), 2U);
    EXPECT_EQ(fcm.scripts.at(token_key("t")).answers[1].what, fate::reset);
    EXPECT_EQ(fcm.transport.bodies.all, error_bodies::split);
    ASSERT_EQ(change.now.size(), 2U);
    EXPECT_EQ(change.now[0].what, action::kind::goaway_middle);
    EXPECT_EQ(change.now[0].where, provider::fcm);
    EXPECT_EQ(change.now[1].max_concurrent_streams, 3U);
}

TEST(Behaviour, NamesTheMemberThatIsWrong) {
    EXPECT_EQ(
        problem(R"({"apns": {"faults": {"reset_shar": 1}}})"),
        "apns.faults.reset_shar is not a known member; did you mean reset_share?");
    EXPECT_EQ(problem(R"({"fcm": {"dead_share": 2}})"), "fcm.dead_share must be a number from 0 to 1");
    EXPECT_EQ(
        problem(R"({"apns": {"errors": [{"reason": "TooManyRequest", "share": 1}]}})"),
        "apns.errors[0].reason is not a reason of apns; did you mean TooManyRequests?");
    EXPECT_EQ(problem(R"({"now": [{}]})"), "now[0].action is required");
    EXPECT_EQ(
        problem(R"({"apns": {"errors": [{"reason": "Shutdown", "share": 0.6},
                                        {"reason": "Forbidden", "share": 0.6}]}})"),
        "apns.errors has shares that add up to more than 1");
    EXPECT_EQ(
        problem(R"({"fcm": {"faults": {"reset_code": []}}})"),
        "fcm.faults.reset_code must be an error code of HTTP/2, or a list of some");
    EXPECT_EQ(
        problem(R"({"fcm": {"faults": {"error_bodies": {"html": 0.6, "split": 0.6}}}})"),
        "fcm.faults.error_bodies has shares that add up to more than 1");
    EXPECT_EQ(problem("[]"), "the document must be a JSON object");
}

TEST(Behaviour, WhatIsShownCanBePostedAgain) {
    const auto next = changed(R"({"seed": 9, "apns": {"latency": {"median_ms": 20, "p99_ms": 80},
        "errors": [{"reason": "TooManyRequests", "share": 0.01, "retry_after": 5}],
        "faults": {"wedge_after_expired_token": "expired", "stall_windows": true, "reset_code": [2, 8],
                   "error_bodies": {"missing": 0.5, "html": 0.25}, "slow_tls_share": 0.5}}})")
                          .next;
    auto shown = behaviour_json(next);
    for (const auto* name : {"apns", "sandbox", "fcm", "webpush"}) {
        // The two that are counts.
        shown.at(name).as_object().erase("dead_tokens");
        shown.at(name).as_object().erase("scripted_tokens");
    }
    const auto again = changed(boost::json::serialize(shown)).next;
    EXPECT_EQ(again.seed, 9U);
    EXPECT_EQ(again.of(provider::apns).delay, next.of(provider::apns).delay);
    EXPECT_EQ(again.of(provider::apns).errors, next.of(provider::apns).errors);
    EXPECT_EQ(again.of(provider::apns).transport, next.of(provider::apns).transport);
}

}  // namespace
}  // namespace tocsin::sim
