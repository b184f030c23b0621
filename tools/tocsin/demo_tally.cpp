#include "tools/tocsin/demo_tally.hpp"

#include "providers/known_platforms.hpp"
#include "tools/simulator/dead_token.hpp"
#include "tools/tocsin/console.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

sim::provider provider_of(platform on) noexcept {
    switch (on) {
        case platform::apns: return sim::provider::apns;
        case platform::fcm: break;
        case platform::webpush: return sim::provider::webpush;
    }
    return sim::provider::fcm;
}

}  // namespace

tally count_at_simulator(
    const sim::simulator& providers, const std::vector<device_change>& devices, double dead_share) {
    tally out;
    const std::uint64_t seed = providers.current_behaviour().seed;
    for (const device_change& one : devices) {
        const std::string token = known_platforms()[one.where].written_token(one.which.token);
        const bool dead = sim::is_dead(token, seed, dead_share);
        const auto seen = providers.counts(provider_of(one.where), token);
        auto& commune = out.by_commune[one.which.follow.front().commune];
        ++commune.first;
        if (dead) {
            ++out.dead;
            ++commune.second;
            out.dead_accepted += seen.accepted != 0 ? 1 : 0;
            continue;
        }
        out.living_once += seen.accepted == 1 ? 1 : 0;
        out.living_never += seen.accepted == 0 ? 1 : 0;
        out.twice += seen.accepted > 1 ? 1 : 0;
    }
    return out;
}

std::string communes_table(const territories& places, const event_report& report, const tally& seen) {
    table shown({"commune", "inhabitants", "devices", "accepted", "dead", "reach"});
    std::uint64_t inhabitants = 0;
    std::uint64_t devices = 0;
    for (const auto& [id, counts] : seen.by_commune) {
        const auto accepted = report.communes.find(to_string(id));
        const std::uint64_t number = accepted == report.communes.end() ? 0 : accepted->second;
        const std::uint32_t population = places.population(id);
        inhabitants += population;
        devices += counts.first;
        shown.add(
            {std::string(places.name(id)), grouped(population), grouped(counts.first), grouped(number),
             grouped(counts.second),
             fmt::format(
                 "{:.1f} %", population == 0 ? 0 : 100.0 * static_cast<double>(number) / population)});
    }
    const std::uint64_t accepted = report.count(outcome::accepted);
    shown.add(
        {"all", grouped(inhabitants), grouped(devices), grouped(accepted),
         grouped(report.count(outcome::dead)),
         fmt::format(
             "{:.1f} %", 100.0 * static_cast<double>(accepted) /
                             static_cast<double>(std::max<std::uint64_t>(1, inhabitants)))});
    return shown.text();
}

std::string times_table(const event_report& report) {
    table shown({"of the accepted", "devices", "within"});
    const std::uint64_t accepted = report.count(outcome::accepted);
    for (const int percent : {50, 90, 99, 100}) {
        const auto longest =
            static_cast<std::uint64_t>(std::max<std::int64_t>(1, report.finished_at - report.accepted_at));
        const std::uint64_t ms = std::min(report.latencies.quantile(percent / 100.0), longest);
        shown.add(
            {fmt::format("{} %", percent), grouped(accepted * static_cast<std::uint64_t>(percent) / 100),
             spoken_ms(static_cast<double>(ms))});
    }
    return shown.text();
}

bool verify(const event_report& report, const tally& seen, std::uint64_t devices) {
    bool good = true;
    const auto expect = [&good](bool holds, const std::string& otherwise) {
        if (!holds) {
            complain(otherwise);
            good = false;
        }
    };
    expect(
        report.state == event_state::finished, "the event ended as " + std::string(to_string(report.state)));
    expect(report.targeted == devices, fmt::format("{} devices, {} targeted", devices, report.targeted));
    expect(report.ended() == report.targeted, "the outcomes do not add up to the devices targeted");
    expect(seen.living_never == 0, fmt::format("{} living devices were not reached", seen.living_never));
    expect(seen.twice == 0, fmt::format("{} devices were reached twice", seen.twice));
    expect(seen.dead_accepted == 0, fmt::format("{} dead devices were accepted", seen.dead_accepted));
    expect(
        report.count(outcome::accepted) == seen.living_once && report.count(outcome::dead) == seen.dead,
        fmt::format(
            "the engine says {} accepted and {} dead, the simulator {} and {}",
            report.count(outcome::accepted), report.count(outcome::dead), seen.living_once, seen.dead));
    return good;
}

}  // namespace tocsin::cli
