#pragma once

#include "engine/core/error.hpp"

#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

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

/// Ends a command early, from wherever it is; who catches it is run_to_end() (console.hpp). For the commands'
/// own steps alone, and never through an event loop: a coroutine returns its error.
class command_end : public std::runtime_error {
public:
    /// `why`: a sentence that is told on standard error; empty if enough was told.
    explicit command_end(exit_code code, const std::string& why = {})
        : std::runtime_error(why), code_(code) {}
    [[nodiscard]] exit_code code() const noexcept { return code_; }

private:
    exit_code code_;
};

/// What was found, or the end of the command, with the refusal's sentence behind `about`.
template <class T>
T value_or_end(parsed<T> found, exit_code code, const std::string& about = {}) {
    if (found.has_error()) {
        throw command_end(code, about + found.error().message);
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*found);
    }
}

}  // namespace tocsin::cli
