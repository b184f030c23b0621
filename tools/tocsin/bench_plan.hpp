#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/audience/territories.hpp"
#include "engine/event/publish_event.hpp"
#include "tools/simulator/browsers.hpp"
#include "tools/tocsin/bench_options.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::cli {

/// The app that all devices of a benchmark use.
inline constexpr std::string_view bench_app = "mairies";

/// So many devices follow this territory.
struct bench_roster {
    territory where;
    std::uint64_t devices = 0;
};

struct bench_event {
    std::string id;
    std::vector<std::string> audience;  ///< Selectors.
    std::string priority;
    std::uint64_t devices = 0;  ///< That it is for.
};

/// What a scenario registers and publishes.
struct bench_plan {
    std::vector<bench_roster> rosters;
    std::vector<bench_event> events;
    double events_per_second = 0;  ///< 0: all at once.
    /// Published when a part of the other events' devices have it.
    std::optional<bench_event> alert;
    bool cold = false;  ///< Published to an engine that has just started: without warm_up.
    /// Opens connections and fetches credentials before anything is measured. Its devices, in a zone,
    /// are in no other event's audience.
    bench_event warm_up;

    [[nodiscard]] std::uint64_t devices() const noexcept;  ///< Of events and alert.
    [[nodiscard]] std::uint64_t devices_registered() const noexcept;
};

[[nodiscard]] const std::vector<std::string>& bench_scenarios();

/// Refused if there is no such scenario or the territories do not have what it needs.
[[nodiscard]] parsed<bench_plan> plan_bench(const territories& places, const bench_options& how);

/// Which of a plan's devices are what.
struct bench_mix {
    double apns_share = 0;     ///< Of those that are no browsers.
    double webpush_share = 0;  ///< Needs the next two.
    std::shared_ptr<const sim::browsers> browsers{};
    std::string push_origin{};
};

/// Invents the devices of a plan, a batch at a time, the same ones at each run.
class bench_devices {
public:
    bench_devices(const bench_plan& plan, bench_mix mix) : plan_(plan), mix_(std::move(mix)) {}
    /// At most `limit` more; none at the end.
    [[nodiscard]] std::vector<device_change> next(std::size_t limit);
    [[nodiscard]] std::uint64_t made() const noexcept { return made_; }

private:
    [[nodiscard]] device_change invent();

    const bench_plan& plan_;
    bench_mix mix_;
    std::mt19937_64 kinds_{8030};
    std::mt19937_64 random_{21231};
    std::size_t roster_ = 0;
    std::uint64_t in_roster_ = 0;
    std::uint64_t made_ = 0;
};

}  // namespace tocsin::cli
