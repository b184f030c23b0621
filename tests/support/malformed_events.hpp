#pragma once

#include <string>
#include <vector>

namespace tocsin::testing {

/// A publish event that must be refused.
struct malformed_event {
    std::string name;           ///< What is wrong with it; each name and each fault stands once.
    std::string document;       ///< What the stream entry holds under "event".
    std::string expected_code;  ///< As in engine/event/refusal_codes.hpp.
};

/// Refused whatever the territories are; more than two hundred, from broken bytes to a ttl too long.
[[nodiscard]] std::vector<malformed_event> malformed_events();

/// Well-formed events for places that do not exist.
[[nodiscard]] std::vector<malformed_event> events_for_nowhere();

}  // namespace tocsin::testing
