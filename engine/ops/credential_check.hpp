#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"

#include <string>

namespace tocsin {

// What a configuration names as credentials, looked at before the engine starts, so that a bad file is a
// sentence at start-up and not a stream of refusals from a provider. Each refusal is a sentence that
// names the file.

/// A client certificate chain: PEM, each certificate before its issuer, the first one valid at `now`.
[[nodiscard]] parsed<> check_certificate(const std::string& path, wall_time now);

/// The private key of a client certificate: a private PEM file that fits the certificate.
[[nodiscard]] parsed<> check_certificate_key(const std::string& path, const std::string& certificate_path);

/// Extra trust roots: PEM certificates, at least one of them valid at `now`.
[[nodiscard]] parsed<> check_trust_root(const std::string& path, wall_time now);

}  // namespace tocsin
