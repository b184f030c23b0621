#pragma once

#include "engine/core/error.hpp"

#include <string>
#include <string_view>

namespace tocsin {

/// Refuses what is not an https URL with a host. The message continues a sentence: "must be …".
[[nodiscard]] parsed<> check_https_url(std::string_view text);

/// The same for a URL that names a server only ("https://host:port"); returns it without a final slash.
[[nodiscard]] parsed<std::string> check_https_origin(std::string_view text);

/// The same for a push service: in lower case and without the port 443, as origins are compared, and never
/// an address in place of a name, since no endpoint may have one.
[[nodiscard]] parsed<std::string> check_service_origin(std::string_view text);

/// Whom a push service can write to: an address behind mailto:, or an https URL (RFC 8292, section 2.1).
[[nodiscard]] parsed<> check_vapid_subject(std::string_view text);

}  // namespace tocsin
