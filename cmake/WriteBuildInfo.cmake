# Run at every build: writes version and commit of the tree, and touches the file only if they changed.
#   cmake -DSOURCE=… -DVERSION=… -DOUTPUT=… -P WriteBuildInfo.cmake
set(commit "$ENV{TOCSIN_COMMIT}")
if(NOT commit)
  execute_process(
    COMMAND git -C "${SOURCE}" rev-parse --short=12 HEAD
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(failed)
    set(commit unknown)
  endif()
endif()
set(text "// Written at every build by cmake/WriteBuildInfo.cmake.
#include \"tools/tocsin/version.hpp\"

namespace tocsin::cli {

const char* const version = \"${VERSION}\";
const char* const commit = \"${commit}\";

}  // namespace tocsin::cli
")
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT "${text}" @ONLY)
