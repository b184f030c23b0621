#pragma once

#include "engine/core/error.hpp"
#include "engine/event/publish_event.hpp"
#include "engine/platform/platform_traits.hpp"

#include <boost/json/object.hpp>

#include <cstddef>

namespace tocsin {

constexpr std::size_t max_data_entries = 64;
constexpr std::size_t max_data_key = 256;  ///< Bytes.
constexpr std::size_t max_localizations = 64;
// Far past what a push can carry: the provider's own limit is checked, and named, when the event is
// rendered. These keep a document from being all one field.
constexpr std::size_t max_text = std::size_t{16} * 1024;
constexpr std::size_t max_url = 2048;
constexpr std::size_t max_short_text = 256;  ///< Sound and thread.
constexpr std::size_t max_collapse_id = 64;  ///< Bytes, Apple's limit.

/// Reads what a person sees and what the app is given, `notification`, `data` and `localized`, into
/// `event`. The types of the three fields have been checked.
[[nodiscard]] parsed<> read_content(
    platform_set platforms, const boost::json::object& document, publish_event& event);

}  // namespace tocsin
