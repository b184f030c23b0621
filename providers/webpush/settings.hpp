#pragma once

#include "engine/core/error.hpp"
#include "engine/ops/platform_configuration.hpp"
#include "engine/platform/platform_settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// An app in browsers: [app.webpush].
struct webpush_settings final : platform_settings {
    static constexpr platform kind = platform::webpush;

    std::string vapid_key_file;
    std::string subject;                ///< mailto: or https:, so that a service can reach somebody.
    std::string url;                    ///< What a tap opens if the event does not say.
    std::vector<std::string> services;  ///< Origins beside the known ones.
    std::string ca_file;

    /// Its service must be one that browsers use, or a listed one.
    [[nodiscard]] parsed<> check_destination(std::string_view endpoint) const override;
};

/// How [app.webpush] is read, checked and documented.
[[nodiscard]] const platform_configuration& webpush_configuration();

/// A key that browsers subscribe with: a private PEM file (PKCS #8) with an EC key on P-256. The refusal
/// names the file.
[[nodiscard]] parsed<> check_vapid_key(const std::string& path);

/// An origin (https_origin) of a push service, in lower case and without the port 443, as origins are
/// compared. Never an address in place of a name, since no endpoint may have one.
[[nodiscard]] parsed<std::string> check_service_origin(std::string_view text);

/// Whom a push service can write to: an address behind mailto:, or an https URL (RFC 8292, section 2.1).
[[nodiscard]] parsed<> check_vapid_subject(std::string_view text);

}  // namespace tocsin
