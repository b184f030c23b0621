#pragma once

#include "engine/core/error.hpp"
#include "engine/ops/platform_configuration.hpp"
#include "engine/platform/platform_settings.hpp"

#include <string>

namespace tocsin {

/// An app at Apple: [app.apns].
struct apns_settings final : platform_settings {
    static constexpr platform kind = platform::apns;

    std::string url = "https://api.push.apple.com";
    std::string sandbox_url = "https://api.sandbox.push.apple.com";
    std::string topic;
    std::string team_id;
    std::string key_id;
    std::string key_file;
    std::string certificate_file;
    std::string certificate_key_file;
    std::string ca_file;
};

/// How [app.apns] is read, checked and documented.
[[nodiscard]] const platform_configuration& apns_configuration();

/// An APNs signing key: a private PEM file (PKCS #8) with an EC key on P-256. The refusal names the file.
[[nodiscard]] parsed<> check_apns_key(const std::string& path);

}  // namespace tocsin
