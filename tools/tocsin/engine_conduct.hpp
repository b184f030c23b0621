#pragma once

#include "engine/delivery/verdict.hpp"

#include <string_view>

namespace tocsin::cli {

/// What the engine does, in an event, about an answer like this one: a sentence for people.
[[nodiscard]] std::string_view engine_conduct(reaction what) noexcept;

}  // namespace tocsin::cli
