#pragma once

#include "engine/core/error.hpp"
#include "engine/ops/platform_configuration.hpp"
#include "engine/platform/platform_settings.hpp"

#include <string>

namespace tocsin {

/// An app at Google: [app.fcm].
struct fcm_settings final : platform_settings {
    static constexpr platform kind = platform::fcm;

    std::string url = "https://fcm.googleapis.com";
    std::string service_account_file;
    std::string project_id;
    std::string ca_file;
};

/// How [app.fcm] is read, checked and documented.
[[nodiscard]] const platform_configuration& fcm_configuration();

/// A Google service account: a private JSON file with the members that sending needs and a usable RSA key.
/// `project` is the one that the configuration names; empty: the file has to. The refusal names the file.
[[nodiscard]] parsed<> check_service_account(const std::string& path, const std::string& project);

}  // namespace tocsin
