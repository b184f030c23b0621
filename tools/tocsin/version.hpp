#pragma once

#include <boost/json/object.hpp>

namespace tocsin::cli {

extern const char* const version;  ///< "0.1.0"
extern const char* const commit;   ///< "unknown" for a tree without git.

/// Version, commit and the libraries: those that are loaded where they say so, else those that it was built
/// with.
[[nodiscard]] boost::json::object version_document();

}  // namespace tocsin::cli
