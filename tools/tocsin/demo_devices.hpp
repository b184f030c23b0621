#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/audience/territories.hpp"
#include "tools/simulator/browsers.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tocsin::cli {

/// What `tocsin demo` can be told.
struct demo_options {
    std::string epci = "242100410";  ///< Dijon Métropole.
    double share = 0.35;             ///< Of the inhabitants, that follow their commune.
    double dead_share = 0.03;
    bool stay = false;  ///< Keep everything up until interrupted.
    std::string keep;   ///< A directory to leave everything in; empty: a temporary one.
};

/// The invented residents of the demo: real communes, real populations, devices out of a fixed seed.
struct demo_population {
    std::vector<device_change> devices;
    std::uint64_t following_two = 0;
    std::uint64_t browsers = 0;
};

/// A share of the inhabitants of each commune follows it through the mutualised app, three quarters
/// with FCM and one with APNs; one in ten also follows the next commune of the list. In the commune of
/// `dedicated_to`, most of them have its own app instead.
/// One in twenty is a browser instead, which `subscribe` makes of its number.
[[nodiscard]] demo_population make_population(
    const territories& places, const std::vector<commune_id>& communes, commune_id dedicated_to,
    const demo_options& how, const std::function<sim::browser(std::uint64_t)>& subscribe);

}  // namespace tocsin::cli
