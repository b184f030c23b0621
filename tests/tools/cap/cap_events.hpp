#pragma once

#include "engine/core/rfc3339.hpp"
#include "tools/cap/cap_event.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace tocsin::testing {

inline const territories& places() {
    static const territories known = territories::load({}).value();
    return known;
}

/// The event that a document asks for, or why it asks for none.
inline parsed<boost::json::object> event_of(std::string_view document) {
    const auto message = read_cap(document);
    if (!message) {
        return message.error();
    }
    cap_event_options how;
    how.collapse_id = cap_collapse_id(*message);
    how.now = *parse_rfc3339("2026-11-23T05:00:00Z");
    return cap_event(*message, places(), how);
}

}  // namespace tocsin::testing
