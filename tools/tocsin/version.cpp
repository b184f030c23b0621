#include "tools/tocsin/version.hpp"

namespace tocsin::cli {

const char* const version = TOCSIN_VERSION;
const char* const commit = TOCSIN_COMMIT;

}  // namespace tocsin::cli
