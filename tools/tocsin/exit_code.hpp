#pragma once

namespace tocsin::cli {

/// What `tocsin` exits with (contract §7).
enum exit_code : int {
    exit_ok = 0,
    exit_failed = 1,
    exit_usage = 2,
    exit_unreachable = 69,  ///< Redis or a provider.
    exit_configuration = 78,
    exit_threshold = 99,  ///< A benchmark's figure missed an --assert.
    exit_interrupted = 130,
};

}  // namespace tocsin::cli
