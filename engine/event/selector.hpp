#pragma once

#include "engine/core/error.hpp"
#include "engine/event/publish_event.hpp"
#include "engine/event/territory.hpp"
#include "engine/platform/platform_traits.hpp"

#include <string>
#include <string_view>

namespace tocsin {

/// Reads "commune:21231", "epci:242100410", "department:21", "zone:21231:centre", "everyone" or
/// "device:<platform>:<token>". Only the form is looked at; what exists is for `audience` to say.
///
/// `path` names the place in the refusal ("audience[3]").
[[nodiscard]] parsed<selector> parse_selector(
    platform_set platforms, std::string_view text, std::string_view path);

/// The form that parse_selector() reads.
[[nodiscard]] std::string to_string(const selector& one);

/// A territory that can be followed, of "commune:…" and "zone:…" alone.
[[nodiscard]] parsed<territory> parse_followed(
    platform_set platforms, std::string_view text, std::string_view path);

/// The commune and name in the value of a zone selector that was parsed.
[[nodiscard]] territory zone_of(const selector& zone);

}  // namespace tocsin
