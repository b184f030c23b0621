#pragma once

namespace tocsin::cli {

// Set by the build: tools/tocsin/CMakeLists.txt.
extern const char* const version;
extern const char* const commit;  ///< "unknown" for a tree without git.

}  // namespace tocsin::cli
