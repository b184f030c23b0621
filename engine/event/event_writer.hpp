#pragma once

#include "engine/event/publish_event.hpp"

#include <string>

namespace tocsin {

/// The document of an event, as parse_event() reads it: what a publisher adds to the stream.
///
/// What stands at its default is left out, and so are an empty id and an `expires_at` of 1970: the
/// engine then takes the stream entry's id and its own default.
[[nodiscard]] std::string to_json(const publish_event& event);

}  // namespace tocsin
