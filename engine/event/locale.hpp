#pragma once

#include "engine/core/error.hpp"

#include <string>
#include <string_view>

namespace tocsin {

/// A language tag of the form of BCP 47, in its canonical spelling: "fr_fr" and "FR-fr" are "fr-FR".
/// Phones report both separators, and matching a device to a text is a comparison of strings.
///
/// `path` names the field in the refusal.
[[nodiscard]] parsed<std::string> normalize_locale(std::string_view tag, std::string_view path);

}  // namespace tocsin
