#pragma once

#include "engine/audience/territories.hpp"

#include <string>
#include <string_view>

namespace tocsin {

/// What commonly stands where the INSEE code of a commune should, to follow a sentence that says that there
/// is no commune `code`: begins with "; ". What has become of communes that merged is said, if it is known.
[[nodiscard]] std::string unknown_commune_hint(std::string_view code, const territories& known);

}  // namespace tocsin
