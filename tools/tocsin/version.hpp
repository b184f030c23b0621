#pragma once

namespace tocsin::cli {

// Set by the build: tools/tocsin/CMakeLists.txt.
inline constexpr const char* version = TOCSIN_VERSION;

}  // namespace tocsin::cli
