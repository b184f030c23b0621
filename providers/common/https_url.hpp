#pragma once

#include "engine/core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin {

/// An https:// URL, taken apart.
struct https_url {
    std::string host;  ///< Without the brackets of an IPv6 address; a final dot is kept, for the resolver.
    std::uint16_t port = 443;
    std::string target;     ///< Path and query; at least "/".
    std::string authority;  ///< As Host and :authority want it: the port only if it is not 443, no final dot.
};

/// Refuses everything but https (credentials never travel in the clear), user names and fragments.
/// `field` is the name of the setting, for the message.
[[nodiscard]] parsed<https_url> parse_https_url(std::string_view text, std::string_view field);

}  // namespace tocsin
