#include "tools/tocsin/bench_plan.hpp"

#include "tools/tocsin/invented_token.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <span>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

constexpr double following = 0.35;  // Of the inhabitants.
constexpr double village_events = 1'000;
constexpr double town_devices = 100'000;
constexpr double newsletter_devices = 1'000'000;
constexpr double alert_devices = 1'000;
constexpr std::uint64_t warm_up_devices = 2'000;
constexpr std::uint32_t registered_at = 1'760'000'000;

double devices_of(const commune& where) {
    return std::round(following * where.population);
}

std::uint64_t whole(double number) {
    return static_cast<std::uint64_t>(std::max(0.0, std::round(number)));
}

/// The commune whose devices are nearest to `devices`, without those that `excluded` says.
template <class Excluded>
const commune* nearest_commune(const territories& places, double devices, Excluded excluded) {
    const commune* out = nullptr;
    for (const commune& one : places.all()) {
        if (!excluded(one) &&
            (out == nullptr || std::abs(devices_of(one) - devices) < std::abs(devices_of(*out) - devices))) {
            out = &one;
        }
    }
    return out;
}

/// Whole communes that have `share` of the devices of `all` between them, large and small ones alike:
/// a roster with fewer devices than its commune has would be stored more thinly than a real one.
std::vector<bench_roster> sample(std::vector<const commune*> all, double share) {
    std::ranges::stable_sort(all, std::greater(), [](const commune* one) { return one->population; });
    std::vector<bench_roster> out;
    double seen = 0;
    double taken = 0;
    for (const commune* const one : all) {
        const double devices = devices_of(*one);
        seen += devices;
        if (devices > 0 && taken + devices / 2 <= share * seen) {
            out.push_back({{one->id, {}}, whole(devices)});
            taken += devices;
        }
    }
    std::ranges::sort(out, {}, &bench_roster::where);
    return out;
}

std::vector<const commune*> every(const territories& places) {
    std::vector<const commune*> out;
    for (const commune& one : places.all()) {
        out.push_back(&one);
    }
    return out;
}

std::vector<const commune*> of_departments(
    const territories& places, std::span<const std::string_view> codes) {
    std::vector<const commune*> out;
    for (const std::string_view code : codes) {
        for (const commune_id id : places.of_department(*parse_department_id(code))) {
            out.push_back(places.find(id));
        }
    }
    return out;
}

std::uint64_t sum_of(const std::vector<bench_roster>& rosters) noexcept {
    return std::accumulate(
        rosters.begin(), rosters.end(), std::uint64_t{0},
        [](std::uint64_t sum, const bench_roster& one) { return sum + one.devices; });
}

std::string selector(commune_id id) {
    return "commune:" + to_string(id);
}

void add_single(bench_plan& out, const commune& where, double devices) {
    out.rosters = {{{where.id, {}}, whole(devices)}};
    out.events = {{"bench", {selector(where.id)}, "normal", whole(devices)}};
}

void plan_village(bench_plan& out, const territories& places, const bench_options& how) {
    std::vector<std::uint32_t> populations;
    for (const commune& one : places.all()) {
        populations.push_back(one.population);
    }
    const auto middle = populations.begin() + static_cast<std::ptrdiff_t>(populations.size() / 2);
    std::ranges::nth_element(populations, middle);
    auto communes = every(places);
    std::ranges::stable_sort(communes, {}, [median = std::int64_t{*middle}](const commune* one) {
        return std::abs(std::int64_t{one->population} - median);
    });
    const std::size_t count = std::clamp<std::size_t>(whole(village_events * how.share), 1, communes.size());
    for (std::size_t i = 0; i < count; ++i) {
        const commune& where = *communes[i];
        const std::uint64_t devices = std::max<std::uint64_t>(1, whole(devices_of(where)));
        out.rosters.push_back({{where.id, {}}, devices});
        out.events.push_back({fmt::format("bench-{}", i), {selector(where.id)}, "normal", devices});
    }
    out.events_per_second = how.events_per_second;
}

void plan_department(bench_plan& out, const territories& places, const bench_options& how) {
    constexpr std::array<std::string_view, 1> nord{"59"};
    out.rosters = sample(of_departments(places, nord), how.share);
    out.events = {{"bench", {"department:59"}, "normal", sum_of(out.rosters)}};
}

void plan_alert(bench_plan& out, const territories& places, const bench_options& how) {
    constexpr std::array<std::string_view, 2> north{"59", "62"};
    const auto readers = of_departments(places, north);
    const double all = std::accumulate(
        readers.begin(), readers.end(), 0.0,
        [](double sum, const commune* one) { return sum + devices_of(*one); });
    out.rosters = sample(readers, all == 0 ? 0 : std::min(1.0, how.share * newsletter_devices / all));
    out.events = {{"bench", {"department:59", "department:62"}, "normal", sum_of(out.rosters)}};
    const auto* const where = nearest_commune(places, alert_devices, [](const commune& one) {
        const std::string code = to_string(one.department);
        return code == "59" || code == "62";
    });
    if (where != nullptr) {
        out.rosters.push_back({{where->id, {}}, whole(alert_devices)});
        out.alert = bench_event{"bench-alert", {selector(where->id)}, "critical", whole(alert_devices)};
    }
}

void plan_france(bench_plan& out, const territories& places, const bench_options& how) {
    out.rosters = sample(every(places), how.share);
    out.events = {{"bench", {"everyone"}, "normal", sum_of(out.rosters)}};
}

}  // namespace

std::uint64_t bench_plan::devices() const noexcept {
    std::uint64_t sum = alert ? alert->devices : 0;
    for (const bench_event& one : events) {
        sum += one.devices;
    }
    return sum;
}

std::uint64_t bench_plan::devices_registered() const noexcept {
    return sum_of(rosters);
}

const std::vector<std::string>& bench_scenarios() {
    static const std::vector<std::string> all{"village",         "town",       "department", "paris",
                                              "alert-overtakes", "cold-alert", "france"};
    return all;
}

parsed<bench_plan> plan_bench(const territories& places, const bench_options& how) {
    const auto unplaced = [](const commune&) { return false; };
    bench_plan out;
    if (how.scenario == "village") {
        plan_village(out, places, how);
    } else if (how.scenario == "town") {
        if (const auto* const where = nearest_commune(places, town_devices, unplaced)) {
            add_single(out, *where, town_devices * how.share);
        }
    } else if (how.scenario == "department") {
        plan_department(out, places, how);
    } else if (how.scenario == "paris") {
        if (const auto* const where = places.find(*parse_commune_id("75056"))) {
            add_single(out, *where, devices_of(*where) * how.share);
        }
    } else if (how.scenario == "alert-overtakes") {
        plan_alert(out, places, how);
    } else if (how.scenario == "cold-alert") {
        const auto devices = static_cast<double>(how.devices);
        if (const auto* const where = nearest_commune(places, devices, unplaced)) {
            add_single(out, *where, devices * how.share);
            out.events.front().priority = "critical";
        }
        out.cold = true;
    } else if (how.scenario == "france") {
        plan_france(out, places, how);
    } else {
        return refusal{"scenario", "there is no scenario \"" + how.scenario + "\""};
    }
    if (out.devices() == 0 ||
        std::ranges::any_of(out.events, [](const bench_event& one) { return one.devices == 0; })) {
        return refusal{
            "scenario", "of scenario " + how.scenario + " nothing is left: a larger --share is needed"};
    }
    if (!how.priority.empty()) {
        for (bench_event& one : out.events) {
            one.priority = how.priority;
        }
    }
    // A zone is given a quarter of its commune's buckets.
    const auto* const around = nearest_commune(places, 4.0 * warm_up_devices, unplaced);
    const territory warm_up{around->id, "bench-warm-up"};
    out.rosters.push_back({warm_up, warm_up_devices});
    out.warm_up = {"bench-warm-up", {"zone:" + to_string(warm_up)}, "normal", warm_up_devices};
    return out;
}

device_change bench_devices::invent() {
    // Compared with whole numbers, so that 0 and 1 mean none and all.
    const auto below = [](double share) {
        return static_cast<std::uint64_t>(std::llround(share * 1'000'000));
    };
    device_change out;
    out.app = bench_app;
    if (mix_.browsers != nullptr && kinds_() % 1'000'000 < below(mix_.webpush_share)) {
        const sim::browser one = mix_.browsers->at(made_, mix_.push_origin);
        out.where = platform::webpush;
        out.which.token = one.endpoint;
        out.which.keys = one.point.substr(1) + one.auth;
    } else {
        out.where = random_() % 1'000'000 < below(mix_.apns_share) ? platform::apns : platform::fcm;
        out.which.token =
            out.where == platform::apns ? invented_apns_token(random_) : invented_fcm_token(random_);
    }
    out.which.registered_at = registered_at;
    out.which.locale = "fr";
    return out;
}

std::vector<device_change> bench_devices::next(std::size_t limit) {
    std::vector<device_change> out;
    while (out.size() < limit && roster_ < plan_.rosters.size()) {
        const bench_roster& of = plan_.rosters[roster_];
        if (in_roster_ == of.devices) {
            ++roster_;
            in_roster_ = 0;
            continue;
        }
        out.push_back(invent());
        out.back().which.follow = {of.where};
        ++in_roster_;
        ++made_;
    }
    return out;
}

}  // namespace tocsin::cli
