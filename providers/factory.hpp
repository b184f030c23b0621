#pragma once

#include "engine/core/error.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/ops/settings.hpp"
#include "providers/provider_kit.hpp"

#include <memory>
#include <vector>

namespace tocsin {

/// The providers of all apps, in the order of the configuration; of one app in that of the platforms.
///
/// Reads the key files; does no I/O otherwise. What apps share, the maker of each platform says. A refusal's
/// code is the key ("app.fcm.project_id"), its message names the app and what is wrong.
[[nodiscard]] parsed<std::vector<std::shared_ptr<provider>>> make_providers(
    const settings& configuration, const provider_runtime& runtime);

}  // namespace tocsin
