#pragma once

#include "engine/core/error.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace tocsin::fcm {

enum class holds : std::uint8_t {
    text,
    flag,
    count,         ///< A whole number that an int32 holds, not below nought.
    share,         ///< A number from 0 to 1.
    color,         ///< "#rrggbb"
    label,         ///< Of Google's statistics: 1 to 50 letters, digits and a few signs.
    link,          ///< "https://…"
    duration,      ///< "3.5s"
    timestamp,     ///< RFC 3339
    word,          ///< One of a list.
    texts,         ///< A list of strings.
    durations,     ///< A list of durations.
    text_map,      ///< An object of strings.
    own_data,      ///< The same, without the keys that FCM keeps for itself.
    push_headers,  ///< Header fields of Web Push.
    anything,      ///< An object that FCM passes on.
    form,          ///< An object with a form of its own.
};

struct member {
    std::string_view of;  ///< The form that it belongs to.
    std::string_view name;
    holds what;
    std::string_view detail = {};  ///< holds::word: the words; holds::form: which.
};

/// The form that Google documents (REST reference, projects.messages), a row for each member. The root is the
/// form "Message".
[[nodiscard]] std::span<const member> message_members() noexcept;

/// The member of this name in either spelling; null if the form has none.
[[nodiscard]] const member* find_member(std::string_view form_name, std::string_view name) noexcept;

/// An event's overrides with every member of the form in the spelling of the defaults, snake_case: FCM takes
/// lowerCamelCase too, and refuses a message that holds one member in both. So are overrides refused that do.
[[nodiscard]] parsed<boost::json::object> spelled_as_sent(const boost::json::object& overrides);

}  // namespace tocsin::fcm
