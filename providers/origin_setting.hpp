#pragma once

#include "engine/ops/config_checks.hpp"
#include "providers/common/url_check.hpp"

#include <string>
#include <utility>

namespace tocsin {

/// Checks the base URL of a provider in the configuration, and puts it into the form of check_https_origin().
inline void check_origin(config_checks& checks, std::string& url, const std::string& place) {
    if (!checks.sound(place)) {
        return;
    }
    auto origin = check_https_origin(url);
    if (origin.has_error()) {
        checks.problem(place, origin.error().message);
    } else {
        url = std::move(*origin);
    }
}

}  // namespace tocsin
