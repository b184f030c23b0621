#pragma once

#include "engine/audience/territories.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/report_document.hpp"

#include <string>

namespace tocsin::cli {

/// Writes the certificate of an event to a file ("-": standard output). Returns the exit code: 1 if it has
/// not ended.
[[nodiscard]] int write_certificate(
    const common_options& common, const stored_event& event, const territories& places,
    const std::string& file);

/// Compares a certificate with the event. Returns the exit code: 1 if anything that it shows is not so.
[[nodiscard]] int verify_certificate(
    const common_options& common, const stored_event& event, const territories& places,
    const std::string& file);

}  // namespace tocsin::cli
