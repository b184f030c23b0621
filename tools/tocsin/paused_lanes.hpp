#pragma once

#include "engine/delivery/target_sender.hpp"

#include <string>
#include <vector>

namespace tocsin::cli {

/// The lanes that wait for somebody to correct something, as a sentence; empty if there are none.
[[nodiscard]] std::string paused_lanes(const std::vector<lane_status>& lanes);

}  // namespace tocsin::cli
