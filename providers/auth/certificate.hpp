#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"

#include <string>

namespace tocsin::auth {

struct certificate_validity {
    wall_time from;
    wall_time until;
};

/// When the first certificate of a PEM file counts. The refusal names the file.
[[nodiscard]] parsed<certificate_validity> read_certificate_validity(const std::string& path);

}  // namespace tocsin::auth
