#pragma once

#include "engine/audience/territories.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/report_document.hpp"
#include "tools/tocsin/session.hpp"

#include <string>

namespace tocsin::cli {

/// Writes the certificate of an event to a file ("-": standard output), and remembers that it was made.
/// Returns the exit code: 1 if it has not ended.
[[nodiscard]] int write_certificate(
    redis_session& redis, const common_options& common, const stored_event& event, const territories& places,
    const std::string& file);

/// Compares a certificate with the event. Returns the exit code: 1 if anything that it shows is not so.
[[nodiscard]] int verify_certificate(
    const common_options& common, const stored_event& event, const territories& places,
    const std::string& file);

/// Compares a certificate with those that were made, for an event that Redis no longer keeps. Returns the
/// exit code: 0 if it is one of them, 1 if not.
[[nodiscard]] int verify_remembered(
    redis_session& redis, const common_options& common, const std::string& event, const std::string& file);

}  // namespace tocsin::cli
