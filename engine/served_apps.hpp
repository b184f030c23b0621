#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/audience/territories.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/ops/settings.hpp"
#include "engine/plan/event_preparer.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

// What the configuration says about apps, in the terms of the parts that work with them.

namespace tocsin {

/// The apps, each on the platforms that one of `providers` is for.
[[nodiscard]] std::vector<served_app> served_apps(
    const settings& how, std::span<const std::shared_ptr<provider>> providers);
/// The apps on their configured platforms, without providers: nothing can be rendered, but everything else
/// about an event or a registration is known.
[[nodiscard]] std::vector<served_app> served_apps(const settings& how);

/// The rate of each app on each platform; 0: no limit of ours.
[[nodiscard]] std::map<target, std::uint64_t> configured_rates(const settings& how);

/// How large things are made in the store. Both must outlive what is returned.
[[nodiscard]] store_sizing sizing_for(const settings& how, const territories& places);

}  // namespace tocsin
