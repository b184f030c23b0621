#include "engine/core/rfc3339.hpp"
#include "tests/faults/fault_fixture.hpp"
#include "tests/tools/cap/cap_samples.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

// Quiet hours by the clocks of here and now, and the all-clear after an alert that was cut short.

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::cap_sample;
using testing::crowd;
using testing::eventually;
using testing::finished_process;
using testing::number;

wall_time now() {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(wall_clock::now());
}

/// What clocks in Paris show at that moment.
std::string paris_clock(wall_time when) {
    ::setenv("TZ", "Europe/Paris", 1);
    ::tzset();
    const std::time_t seconds = wall_clock::to_time_t(when);
    std::tm local{};
    ::localtime_r(&seconds, &local);
    std::string out(8, '\0');
    out.resize(std::strftime(out.data(), out.size(), "%H:%M", &local));
    ::unsetenv("TZ");
    return out;
}

testing::redis_server_options durable() {
    testing::redis_server_options out;
    out.append_only = true;
    return out;
}

class CivilHoursTest : public testing::fault_fixture {
protected:
    CivilHoursTest() : fault_fixture(durable()) {}
    ~CivilHoursTest() override {
        for (const char* const name :
             {"TOCSIN_QUIET_HOURS_FROM", "TOCSIN_QUIET_HOURS_TO", "TOCSIN_QUIET_HOURS_SPREAD"}) {
            ::unsetenv(name);
        }
    }

    /// Quiet hours in Paris until a full minute that is at least that far ahead. Everything that the test
    /// starts from now on knows them.
    static wall_time quiet_for(std::chrono::seconds least) {
        const wall_time end = std::chrono::ceil<std::chrono::minutes>(now() + least);
        ::setenv("TOCSIN_QUIET_HOURS_FROM", paris_clock(end - 1h).c_str(), 1);
        ::setenv("TOCSIN_QUIET_HOURS_TO", paris_clock(end).c_str(), 1);
        ::setenv("TOCSIN_QUIET_HOURS_SPREAD", "5s", 1);
        return end;
    }

    json::object status_of(const std::string& event) {
        const auto said = tocsin({"status", event, "--json"});
        return said.exit_code == 0 ? json::parse(said.out).as_object() : json::object();
    }

    finished_process cap(const cap_sample& message, const std::string& expires) {
        std::string text = message.text();
        const std::string_view fixed = "2026-11-23T18:00:00+01:00";
        if (const auto at = text.find(fixed); at != std::string::npos) {
            text.replace(at, fixed.size(), expires);
        }
        return tocsin({"cap", "-", "--json"}, text);
    }
};

TEST_F(CivilHoursTest, KillsOfTheEngineAndOfRedisWhileTerritoriesWaitLoseNobodyAndSendNobodyEarly) {
    crowd dijon;
    dijon.count = 400;
    crowd papeete;  // Eleven or twelve hours from Paris: it is not the same time of day there.
    papeete.commune = "98735";
    papeete.first = dijon.count;
    papeete.count = 100;
    register_crowds({dijon, papeete});
    const wall_time end = quiet_for(25s);
    auto& only = launch("one");
    const std::string event = publish(
        R"({"audience":["commune:21231","commune:98735"],"ttl":3600,"notification":{"title":"Marché"}})");
    ASSERT_TRUE(eventually([&] { return look_at(papeete).accepted == papeete.count; }));
    const json::object waiting = status_of(event);
    ASSERT_EQ(waiting.at("deferred").as_array().size(), 1U);
    const json::object& deferred = waiting.at("deferred").as_array().front().as_object();
    EXPECT_EQ(number(deferred, "until"), end.time_since_epoch().count());
    EXPECT_EQ(number(deferred, "territories"), 1);
    EXPECT_EQ(deferred.at("zones").as_array().front().as_string(), "Europe/Paris");
    const std::string line =
        "1 territory waits for the end of quiet hours at " + format_rfc3339(end) + " (Europe/Paris)";
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"status", event}, std::vector<std::string>{"status"}}) {
        const auto shown = tocsin(words);
        EXPECT_TRUE(now() > end || shown.out.find(line) != std::string::npos) << line << "\n" << shown.out;
    }

    kill_hard(only);
    redis.kill();
    redis.restart();
    launch_again(only);
    // Perhaps that has taken longer than the quiet hours last; else nobody is sent to before their end.
    // A result before that would be of somebody who was sent to early.
    std::string early;
    for (auto rest = end - 500ms - now(); rest > 0ms && early.empty(); rest = end - 500ms - now()) {
        const auto at_once = std::min<std::chrono::milliseconds>(rest, 2s);
        early =
            ask_redis({"XREAD", "BLOCK", std::to_string(at_once.count()), "STREAMS", "tocsin:results", "0"});
    }
    EXPECT_EQ(early, "");
    const std::uint64_t requests_so_far = look_at(dijon).requests;
    if (now() < end) {
        EXPECT_EQ(requests_so_far, 0U) << "sent to early";
    }
    const json::object result = wait_for_result(event);
    testing::expect_sums_agree(result);
    EXPECT_EQ(number(result, "accepted"), static_cast<std::int64_t>(dijon.count + papeete.count));
    EXPECT_EQ(look_at(dijon).missing, 0U);
    EXPECT_EQ(look_at(dijon).repeats, 0U);
    EXPECT_GE(number(result, "finished_at"), end.time_since_epoch().count());
}

TEST_F(CivilHoursTest, WhatIsCancelledWhileItWaitsIsNeverSent) {
    crowd dijon;
    dijon.count = 50;
    register_crowds({dijon});
    quiet_for(120s);
    launch("one");
    const std::string event = publish_to(dijon, R"(,"ttl":3600)");
    ASSERT_TRUE(eventually([&] { return status_of(event).contains("deferred"); }));
    EXPECT_EQ(tocsin({"cancel", event}).exit_code, 0);
    const json::object result = wait_for_result(event);
    EXPECT_EQ(result.at("state").as_string(), "cancelled");
    EXPECT_EQ(number(result, "cancelled"), 50);
    EXPECT_EQ(look_at(dijon).requests, 0U);
}

TEST_F(CivilHoursTest, TheAllClearGoesToThoseWhoGotTheAlertBeforeItWasCutShortAndToNobodyElse) {
    crowd dijon;
    dijon.count = 400;
    register_crowds({dijon});
    launch("one");
    for (const char* const platform : {"apns", "fcm"}) {
        ASSERT_EQ(tocsin({"rate", "--app", "mairies", "--platform", platform, "--set", "20"}).exit_code, 0);
    }
    const std::string later = format_rfc3339(now() + 1h);
    cap_sample alert;
    alert.sent = "2026-11-23T06:00:00+01:00";
    const auto published = cap(alert, later);
    ASSERT_EQ(published.exit_code, 0) << published.err;
    const std::string alarm(json::parse(published.out).as_object().at("event").as_string());
    wait_for_requests(40);

    cap_sample over;
    over.kind = "Cancel";
    over.identifier = "FR-21-43";
    over.sent = "2026-11-23T07:00:00+01:00";
    over.references = "prefecture@example.fr," + alert.identifier + "," + alert.sent;
    over.info = false;
    const auto ended = cap(over, later);
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    const std::string all_clear(json::parse(ended.out).as_object().at("event").as_string());

    const json::object first = wait_for_result(alarm);
    EXPECT_EQ(first.at("state").as_string(), "cancelled");
    const auto told = static_cast<std::uint64_t>(number(first, "accepted"));
    EXPECT_GE(told, 30U);
    EXPECT_LT(told, dijon.count);
    const json::object second = wait_for_result(all_clear);
    EXPECT_EQ(second.at("state").as_string(), "finished");
    EXPECT_EQ(number(second, "targeted"), number(first, "accepted"));
    EXPECT_EQ(number(second, "accepted"), number(first, "accepted"));
    const testing::reception seen = look_at(dijon);
    EXPECT_EQ(seen.missing, dijon.count - told);
    EXPECT_EQ(seen.repeats, told);  // Each of them was sent to twice, and the others never.

    // The same Cancel again changes nothing.
    EXPECT_EQ(json::parse(cap(over, later).out).as_object().at("state").as_string(), "repeated");
    EXPECT_EQ(look_at(dijon).accepted, 2 * told);
}

TEST_F(CivilHoursTest, AfterAnUpdateTheAllClearReachesThoseOfBothOnce) {
    crowd dijon;
    dijon.count = 60;
    crowd beaune;
    beaune.commune = "21054";
    beaune.first = 60;
    beaune.count = 40;
    register_crowds({dijon, beaune});
    launch("one");
    const std::string later = format_rfc3339(now() + 1h);
    const cap_sample alert;
    const auto event_of = [](const finished_process& done) {
        return std::string(json::parse(done.out).as_object().at("event").as_string());
    };
    wait_for_result(event_of(cap(alert, later)));
    cap_sample update;
    update.kind = "Update";
    update.identifier = "FR-21-43";
    update.sent = "2026-11-23T07:00:00+01:00";
    update.references = "prefecture@example.fr," + alert.identifier + "," + alert.sent;
    update.area +=
        "<area><areaDesc>Beaune</areaDesc>"
        "<geocode><valueName>INSEE</valueName><value>21054</value></geocode></area>";
    wait_for_result(event_of(cap(update, later)));
    cap_sample over;
    over.kind = "Cancel";
    over.identifier = "FR-21-44";
    over.sent = "2026-11-23T08:00:00+01:00";
    over.references = "prefecture@example.fr," + update.identifier + "," + update.sent;
    over.info = false;
    const json::object result = wait_for_result(event_of(cap(over, later)));
    EXPECT_EQ(number(result, "targeted"), 100);
    EXPECT_EQ(look_at(dijon).accepted, 3 * dijon.count);
    EXPECT_EQ(look_at(beaune).accepted, 2 * beaune.count);
}

}  // namespace
}  // namespace tocsin
