#pragma once

#include "engine/core/error.hpp"

#include <string>
#include <string_view>

namespace tocsin {

/// Refuses what is not an https URL with a host. The message continues a sentence: "must be …".
[[nodiscard]] parsed<> check_https_url(std::string_view text);

/// The same for a URL that names a server only ("https://host:port"); returns it without a final slash.
[[nodiscard]] parsed<std::string> check_https_origin(std::string_view text);

}  // namespace tocsin
