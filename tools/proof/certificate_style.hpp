#pragma once

#include <string_view>

namespace tocsin::proof {

/// The style sheet of the certificate: A4 on paper, and a page on a screen. No font, no picture, no address.
extern const std::string_view certificate_style;

}  // namespace tocsin::proof
