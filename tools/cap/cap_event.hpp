#pragma once

#include "engine/audience/territories.hpp"
#include "engine/core/error.hpp"
#include "engine/event/publish_event.hpp"
#include "tools/cap/cap_message.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// A message's number: the same whenever and wherever it is read. 24 hexadecimal digits.
[[nodiscard]] std::string cap_key(const cap_name& name);

/// The id of the event that a message becomes: "cap-" and its number. A message that comes again is the same
/// event.
[[nodiscard]] std::string cap_event_id(const cap_name& name);

/// What all messages about one thing share, so that each replaces the one before on the screen: made of the
/// oldest message that this one refers to, or of itself.
[[nodiscard]] std::string cap_collapse_id(const cap_message& message);

/// The priority of the most urgent of its blocks.
[[nodiscard]] priority cap_priority(const cap_message& message);

/// The selectors that all areas of all blocks name, each once: INSEE → commune, SIREN → epci, DEPARTMENT →
/// department. A refusal begins with "line N: ": an area of polygons or circles alone, a code that does not
/// exist, no code at all. Empty only for a message without areas.
[[nodiscard]] parsed<std::vector<std::string>> cap_audience(
    const cap_message& message, const territories& places);

struct cap_event_options {
    std::vector<std::string> apps;  ///< Empty: all.
    std::string category;           ///< Empty: none.
    std::string collapse_id;
    // Of an all-clear:
    std::vector<std::string> reached_by;  ///< What it ends; empty: everybody of the audience.
    bool ignores_quiet_hours = false;
    wall_time now{};  ///< No event may live for more than 28 days from here.
};

/// The publish event of an Alert or an Update. Codes of its refusals: those of cap_audience(),
/// "no_territory", "nothing_to_send" (an Ack or an Error), "no_info".
[[nodiscard]] parsed<boost::json::object> cap_event(
    const cap_message& message, const territories& places, const cap_event_options& how);

/// The all-clear that a Cancel sends, to whoever was sent to by what it ends, within its `audience`. Its
/// texts are the message's own, or, if it has none, say in French and English that `title` is over.
[[nodiscard]] boost::json::object cap_all_clear(
    const cap_message& message, const boost::json::array& audience, std::string_view title,
    const cap_event_options& how);

}  // namespace tocsin
