#pragma once

#include "engine/core/error.hpp"

#include <string>
#include <string_view>

namespace tocsin::cli {

/// The public half of a P-256 private key in PEM, as `applicationServerKey` wants it: an uncompressed point,
/// base64url. The refusal names `file`.
[[nodiscard]] parsed<std::string> application_server_key(std::string_view pem, const std::string& file);

/// Prints it: the key alone, or with --json an object.
void print_vapid_key(const std::string& file, const std::string& public_key, bool json);

}  // namespace tocsin::cli
