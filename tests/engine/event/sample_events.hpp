#pragma once

#include "engine/core/clock.hpp"
#include "engine/event/publish_event.hpp"

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::testing {

/// 2026-11-23T05:59:00Z, and the id of a stream entry that was added a second before.
constexpr wall_time sample_now{std::chrono::milliseconds(1'795'413'540'000)};
constexpr std::string_view sample_entry = "1795413539000-0";

/// The publish event of the contract, with every field.
[[nodiscard]] std::string contract_event();

/// Good documents, from the smallest to those with every field.
[[nodiscard]] std::vector<std::string> sample_documents();

/// A good registration of each kind.
[[nodiscard]] std::vector<std::string> sample_registrations();

/// Some valid event, other fields every time.
[[nodiscard]] publish_event random_event(std::mt19937& random);

}  // namespace tocsin::testing
