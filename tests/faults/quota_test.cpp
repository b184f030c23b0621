#include "tests/faults/fault_fixture.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

// A rate that several engines share, and a provider that says that its quota is used up.

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using testing::crowd;
using testing::eventually;
using testing::number;

/// What a counter stood at, over time.
class samples {
public:
    void add(steady::time_point at, std::uint64_t count) {
        if (!taken_.empty()) {
            longest_gap_ = std::max(longest_gap_, at - taken_.back().at);
        }
        taken_.push_back({at, count});
    }

    struct extremes {
        double lowest = 1e9;
        double highest = 0;
    };
    /// Of the rates per second over each stretch of `length` between `from` and `to`.
    [[nodiscard]] extremes rates(
        steady::time_point from, steady::time_point to, std::chrono::milliseconds length) const {
        extremes out;
        auto end = taken_.begin();
        for (auto begin = taken_.begin(); begin != taken_.end(); ++begin) {
            end = std::find_if(end, taken_.end(), [&](const one& it) { return it.at - begin->at >= length; });
            if (end == taken_.end() || end->at > to) {
                break;
            }
            if (begin->at < from) {
                continue;
            }
            const double seconds = std::chrono::duration<double>(end->at - begin->at).count();
            const double rate = static_cast<double>(end->count - begin->count) / seconds;
            out.lowest = std::min(out.lowest, rate);
            out.highest = std::max(out.highest, rate);
        }
        return out;
    }
    [[nodiscard]] steady::duration longest_gap() const noexcept { return longest_gap_; }

private:
    struct one {
        steady::time_point at;
        std::uint64_t count = 0;
    };
    std::vector<one> taken_;
    steady::duration longest_gap_{};
};

/// True if others want more of the processors than there is: then nobody can be held to a lower bound.
bool machine_is_busy() {
    double load = 0;
    return getloadavg(&load, 1) != 1 || load > std::thread::hardware_concurrency();
}

class QuotaTest : public testing::fault_fixture {
protected:
    std::uint64_t accepted_of(const char* project) const {
        const auto all = providers->stats();
        const json::value* const found =
            all.at("fcm").at("accepted_by_project").as_object().if_contains(project);
        return found == nullptr ? 0 : found->to_number<std::uint64_t>();
    }
    std::uint64_t quota_answers() const {
        const auto all = providers->stats();
        const json::value* const found =
            all.at("fcm").at("by_reason").as_object().if_contains("QUOTA_EXCEEDED_PROJECT");
        return found == nullptr ? 0 : found->to_number<std::uint64_t>();
    }
    std::uint64_t requests_of_mairies() const { return accepted_of("mairies-app") + quota_answers(); }

    /// Of an event whose id is its entry's, which is Redis' clock.
    static std::int64_t ms_from_xadd_to_result(const std::string& event, const json::object& result) {
        return number(result, "finished_at") - std::stoll(event);
    }
    /// Stops an event in its middle; its result.
    json::object cancel(const std::string& event) {
        EXPECT_EQ(tocsin({"cancel", event}).exit_code, 0);
        json::object out = wait_for_result(event);
        testing::expect_sums_agree(out);
        EXPECT_GT(number(out, "cancelled"), 0);
        return out;
    }

    /// What most bound a lane in the last seconds.
    static std::string bound_lately(
        const running_engine& which, const std::string& app, const std::string& platform) {
        const json::object at = lane(which, app, platform);
        std::string out = "nothing";
        double most = 0;
        if (!at.empty()) {
            for (const auto& [cause, share] : at.at("bound_lately").as_object()) {
                if (share.to_number<double>() > most) {
                    most = share.to_number<double>();
                    out = cause;
                }
            }
        }
        return out;
    }

    /// It has something to send to that project, sends nothing, and has nothing on its way.
    static bool waits_for_quota(const running_engine& which) {
        const json::object at = lane(which, "mairies", "fcm");
        return !at.empty() && at.at("bound_by").as_string() == "quota" && number(at, "in_flight") == 0;
    }

    /// The next request for each FCM device of `whom` is told that the project's quota is used up.
    static std::string quota_used_up(const crowd& whom) {
        json::array answers;
        for (std::size_t n = whom.first; n < whom.first + whom.count; ++n) {
            if (!crowd::on_apns(n)) {
                answers.push_back(json::object{
                    {"token", crowd::token(n)},
                    {"then",
                     json::array{json::object{{"reason", "QUOTA_EXCEEDED_PROJECT"}, {"retry_after", 5}}}}});
            }
        }
        return json::serialize(json::object{{"fcm", json::object{{"answers", std::move(answers)}}}});
    }
};

TEST_F(QuotaTest, ARateHoldsOverTwoEnginesAndWhileOneIsKilledAndComesBack) {
    crowd all;
    all.count = 40'000;
    register_crowds({all});
    // In no file: an engine that comes back has to ask before it sends.
    ASSERT_EQ(tocsin({"rate", "--app", "mairies", "--platform", "fcm", "--set", "500"}).exit_code, 0);
    auto& survivor = launch("survivor");
    auto& killed = launch("killed");
    wait_until_ready(survivor);
    wait_until_ready(killed);
    const std::string event = publish_to(all);

    samples seen;
    const auto watch_until = [&](steady::time_point when) {
        return eventually(
            [&] {
                seen.add(steady::now(), requests("fcm"));
                return steady::now() >= when;
            },
            60s);
    };
    // Both are at it before anything is measured. The simulator reads late as long as the devices without a
    // rate keep it busy: what it counts then is not the rate at which it was sent.
    const std::uint64_t without_a_rate = all.count / 4;
    ASSERT_TRUE(eventually([&] { return requests("fcm") > 0 && requests("apns") >= without_a_rate; }, 30s));
    const auto warm = steady::now() + 2s;
    const auto kill_at = warm + 8s;
    ASSERT_TRUE(watch_until(kill_at));
    EXPECT_EQ(bound_lately(survivor, "mairies", "fcm"), "rate");
    kill_hard(killed);
    const auto alone = steady::now();
    ASSERT_TRUE(watch_until(alone + 6s));
    launch_again(killed);
    const auto over = steady::now() + 7s;
    ASSERT_TRUE(watch_until(over));
    ASSERT_EQ(tocsin({"cancel", event}).exit_code, 0);
    testing::expect_sums_agree(wait_for_result(event));

    const auto steady_rates = seen.rates(warm, kill_at, 5s);
    const auto rates_alone = seen.rates(alone, alone + 6s, 5s);
    const auto all_rates = seen.rates(warm, over, 5s);
    std::cout << "both: " << steady_rates.lowest << " to " << steady_rates.highest
              << " pushes/s; one: " << rates_alone.lowest << "; throughout at most " << all_rates.highest
              << '\n';
    // What a simulator that was kept from running reads late is in a later window than it was sent in.
    const double late = std::chrono::duration<double>(seen.longest_gap()).count() / 5;
    EXPECT_LE(all_rates.highest, 525 * (1 + late));
    EXPECT_GT(rates_alone.lowest, 0);
    if (!machine_is_busy() && seen.longest_gap() < 200ms) {
        EXPECT_LE(steady_rates.highest, 510);
        EXPECT_GE(steady_rates.lowest, 475);
        EXPECT_GE(rates_alone.lowest, 450);
    }
}

TEST_F(QuotaTest, AnAlertOvertakesANewsletterThatUsesUpTheRateAndTheResultsSayWhatHeldThemUp) {
    options.apps[0].fcm_rate = 400;
    options.apps[0].apns_rate = 400;
    crowd nation;
    nation.count = 40'000;
    crowd town;
    town.commune = "21054";
    town.first = nation.count;
    town.count = 300;
    register_crowds({nation, town});
    auto& only = launch("only");
    wait_until_ready(only);
    const std::string newsletter = publish_to(nation, R"(,"priority":"low")");
    ASSERT_TRUE(eventually([&] { return bound_lately(only, "mairies", "fcm") == "rate"; }, 30s));
    const std::string alert = publish_to(town, R"(,"priority":"critical")");
    const json::object of_alert = wait_for_result(alert);
    expect_everybody_accepted(of_alert, town);
    const std::int64_t took = ms_from_xadd_to_result(alert, of_alert);
    std::cout << "alert: " << took << " ms\n";
    if (!machine_is_busy()) {
        EXPECT_LT(took, 1'000);
    }
    const json::object of_newsletter = cancel(newsletter);
    for (const char* const platform : {"apns", "fcm"}) {
        const auto& shares = of_newsletter.at("limits").at("mairies").at(platform).as_object();
        // Where Redis and the engine have to wait for a processor, they hold the event up as well.
        EXPECT_GT(shares.at("rate").to_number<double>(), machine_is_busy() ? 0.1 : 0.5)
            << json::serialize(shares);
        double sum = 0;
        for (const auto& [cause, share] : shares) {
            sum += share.to_number<double>();
        }
        EXPECT_NEAR(sum, 1, 0.001);
    }
}

TEST_F(QuotaTest, AVillageIsNotBehindACityOfTheSamePriority) {
    options.apps[0].fcm_rate = 200;
    pages_in_flight = 16;
    crowd city;  // Pages that take nine seconds to send are all that there is room for.
    city.commune = "75056";
    city.count = 40'000;
    crowd village;
    village.commune = "21054";
    village.first = city.count;
    village.count = 20;
    register_crowds({city, village});
    auto& only = launch("only");
    wait_until_ready(only);
    const std::string of_city = publish_to(city);
    ASSERT_TRUE(eventually([&] { return bound_lately(only, "mairies", "fcm") == "rate"; }, 30s));
    const std::string of_village = publish_to(village);
    const json::object done = wait_for_result(of_village);
    expect_everybody_accepted(done, village);
    const std::int64_t took = ms_from_xadd_to_result(of_village, done);
    std::cout << "village: " << took << " ms\n";
    // All but a second of it is the rate: two seconds and a half where the machine is idle.
    EXPECT_LT(took, 8'000);
    cancel(of_city);
}

TEST_F(QuotaTest, AUsedUpProjectIsLeftAloneByBothEnginesAndTheOtherAppGoesOn) {
    options.apps[0].fcm_rate = 1'000;
    options.apps[1].fcm_rate = 1'000;
    crowd held_up;
    held_up.count = 8'000;
    crowd other;
    other.app = "dijon";
    other.first = held_up.count;
    other.count = 12'000;
    register_crowds({held_up, other});
    auto& first = launch("first");
    auto& second = launch("second");
    wait_until_ready(first);
    wait_until_ready(second);
    const std::string waits = publish_to(held_up);
    const std::string goes_on = publish_to(other);

    ASSERT_TRUE(eventually([&] { return accepted_of("mairies-app") >= 1'000; }, 30s));
    change_providers(quota_used_up(held_up));
    ASSERT_TRUE(eventually([&] { return quota_answers() > 0; }, 30s));
    const auto refused_at = steady::now();
    ASSERT_TRUE(eventually([&] { return waits_for_quota(first) && waits_for_quota(second); }, 4s));
    change_providers(R"({"fcm":{"answers":null}})");
    const std::uint64_t then = requests_of_mairies();
    const std::uint64_t others_then = accepted_of("dijon-app");
    ASSERT_TRUE(eventually([&] { return steady::now() >= refused_at + 4'700ms; }, 30s));
    EXPECT_EQ(requests_of_mairies(), then);
    EXPECT_GT(accepted_of("dijon-app"), others_then + 500);

    expect_everybody_accepted(wait_for_result(waits), held_up);
    expect_everybody_accepted(wait_for_result(goes_on), other);
}

}  // namespace
}  // namespace tocsin
