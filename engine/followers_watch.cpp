#include "engine/followers_watch.hpp"

#include "engine/redis/error.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

constexpr std::size_t territories_named = 20;
// Communes merge once a year; what an operator does about it should show.
constexpr auto between_counts = std::chrono::minutes(10);

}  // namespace

boost::asio::awaitable<void> followers_watch::look(time_point now) {
    if (now < due_) {
        co_return;
    }
    std::vector<target> targets;
    for (const served_app& app : known_.apps()) {
        for (const auto& [on, unused] : app.platforms) {
            targets.push_back({app.id, on});
        }
    }
    std::function<bool(commune_id)> there_is = [this](commune_id id) {
        return known_.places().find(id) != nullptr;
    };
    for (const target& which : targets) {
        const auto found = co_await store_.followers_outside(which.app, which.on, there_is);
        if (found.has_value()) {
            tell(which, *found);
        } else if (found.error() != redis::redis_errc::damaged) {
            co_return;
        }  // What is damaged is that one's affair alone.
    }
    for (auto& [which, names] : told_) {
        if (std::ranges::find(targets, which) == targets.end()) {
            tell(which, {});  // It is configured no longer.
        }
    }
    due_ = now + between_counts;
}

void followers_watch::tell(const target& which, const std::vector<device_store::roster_size>& found) {
    std::uint64_t devices = 0;
    std::string names;
    for (std::size_t i = 0; i < found.size(); ++i) {
        devices += found[i].devices;
        if (i < territories_named) {
            names += (i == 0 ? "" : " ") + to_string(found[i].where);
        }
    }
    if (found.size() > territories_named) {
        names += " …";
    }
    numbers_.gauge(metric::followers_outside, {which.app, to_string(which.on)})
        .set(static_cast<double>(devices));
    std::string& told = told_[which];
    if (std::exchange(told, names) != names && !names.empty()) {
        log_.warning(
            "devices.follow_unknown_communes",
            {{"app", which.app},
             {"platform", to_string(which.on)},
             {"devices", devices},
             {"territories", names},
             {"advice",
              "No event is for them: tocsin devices count names them, tocsin devices merge moves "
              "their followers."}});
    }
}

}  // namespace tocsin
