#pragma once

#include "engine/core/error.hpp"

#include <string_view>

namespace tocsin {

/// An app's id: 1 to 64 of A-Z a-z 0-9 . _ -
[[nodiscard]] parsed<> check_app(std::string_view app, std::string_view path);

/// A category, of an event or muted by a device: 1 to 64 bytes of A-Z a-z 0-9 . _ - and what is not
/// ASCII ("santé"). Categories are compared byte by byte.
[[nodiscard]] parsed<> check_category(std::string_view category, std::string_view path);

}  // namespace tocsin
