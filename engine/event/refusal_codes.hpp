#pragma once

#include "engine/core/error.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tocsin {

/// Why an event, a registration, a receipt or an audience was refused: the closed set behind `refusal::code`
/// for everything that is decided before a provider is asked to render.
enum class refusal_code : std::uint8_t {
    too_large,
    invalid_utf8,
    invalid_json,
    too_deep,
    not_an_object,
    duplicate_key,
    unknown_field,
    wrong_type,
    missing_field,
    missing_entry_field,
    control_character,
    text_too_long,
    invalid_id,
    empty_audience,
    too_many_selectors,
    malformed_selector,
    unknown_selector,
    invalid_commune,
    invalid_epci,
    invalid_department,
    invalid_zone,
    invalid_platform,
    invalid_fid,
    invalid_endpoint,
    invalid_subscription_key,
    invalid_app,
    empty_apps,
    too_many_apps,
    invalid_category,
    invalid_priority,
    nothing_to_send,
    empty_notification,
    invalid_url,
    invalid_badge,
    too_many_data,
    invalid_data_key,
    reserved_data_key,
    invalid_locale,
    duplicate_locale,
    too_many_locales,
    empty_localized,
    localized_without_notification,
    invalid_time,
    send_at_too_far,
    invalid_ttl,
    ttl_too_long,
    invalid_spread,
    invalid_quiet_hours,
    invalid_reached_by,
    ttl_and_expires_at,
    expires_before_send_at,
    invalid_collapse_id,
    invalid_mode,
    invalid_op,
    token_and_fid,
    token_and_subscription,
    empty_follow,
    too_many_follows,
    cannot_follow,
    too_many_mutes,
    invalid_environment,
    registered_in_future,
    invalid_kind,
    invalid_batch,
    empty_counts,
    invalid_count,
    unknown_commune,
    unknown_epci,
    unknown_department,
    invalid_territories_file,
    corrupt_audience,
};

struct refusal_meaning {
    refusal_code code;
    std::string_view word;     ///< What `refusal::code` and the metric label say.
    std::string_view meaning;  ///< One line for people.
};

/// Every code there is but for those of platforms (platform_traits::refusals), in the order of the
/// enumeration.
inline constexpr auto refusal_table = std::to_array<refusal_meaning>({
    {refusal_code::too_large, "too_large", "the document is longer than the limit"},
    {refusal_code::invalid_utf8, "invalid_utf8", "the document is not well-formed UTF-8"},
    {refusal_code::invalid_json, "invalid_json", "the document is not JSON (RFC 8259)"},
    {refusal_code::too_deep, "too_deep", "arrays and objects are nested deeper than 32 levels"},
    {refusal_code::not_an_object, "not_an_object", "the document is JSON, but not an object"},
    {refusal_code::duplicate_key, "duplicate_key", "an object holds the same key twice"},
    {refusal_code::unknown_field, "unknown_field", "a field that the contract does not name"},
    {refusal_code::wrong_type, "wrong_type", "a field holds a value of another type"},
    {refusal_code::missing_field, "missing_field", "a required field is not there"},
    {refusal_code::missing_entry_field, "missing_entry_field",
     "the stream entry does not hold its document under the expected field"},
    {refusal_code::control_character, "control_character", "a text holds a control character"},
    {refusal_code::text_too_long, "text_too_long", "a text is longer than its limit"},
    {refusal_code::invalid_id, "invalid_id", "the event id has the wrong length or characters"},
    {refusal_code::empty_audience, "empty_audience", "the audience names nobody"},
    {refusal_code::too_many_selectors, "too_many_selectors", "the audience has more than 1000 selectors"},
    {refusal_code::malformed_selector, "malformed_selector", "a selector is not of the form kind:value"},
    {refusal_code::unknown_selector, "unknown_selector", "a selector of a kind that does not exist"},
    {refusal_code::invalid_commune, "invalid_commune", "not the form of a commune's INSEE code"},
    {refusal_code::invalid_epci, "invalid_epci", "not the form of an EPCI's SIREN number"},
    {refusal_code::invalid_department, "invalid_department", "not the form of a department's code"},
    {refusal_code::invalid_zone, "invalid_zone", "not the form of a zone, commune:name"},
    {refusal_code::invalid_platform, "invalid_platform", "a platform that does not exist"},
    {refusal_code::invalid_fid, "invalid_fid",
     "not the form of a Firebase installation id, or on a platform that has none"},
    {refusal_code::invalid_endpoint, "invalid_endpoint", "not the form of a Web Push endpoint"},
    {refusal_code::invalid_subscription_key, "invalid_subscription_key",
     "a subscription whose p256dh is no point on P-256, or whose auth is not 16 bytes"},
    {refusal_code::invalid_app, "invalid_app", "not the form of an app's id"},
    {refusal_code::empty_apps, "empty_apps", "an empty list of apps"},
    {refusal_code::too_many_apps, "too_many_apps", "more than 1000 apps"},
    {refusal_code::invalid_category, "invalid_category", "not the form of a category"},
    {refusal_code::invalid_priority, "invalid_priority", "a priority that does not exist"},
    {refusal_code::nothing_to_send, "nothing_to_send", "neither a notification nor data"},
    {refusal_code::empty_notification, "empty_notification", "a notification without title and body"},
    {refusal_code::invalid_url, "invalid_url", "not an absolute URL, or an image that is not https"},
    {refusal_code::invalid_badge, "invalid_badge", "a badge outside 0 to 2147483647"},
    {refusal_code::too_many_data, "too_many_data", "more than 64 data entries"},
    {refusal_code::invalid_data_key, "invalid_data_key", "a data key that is empty or too long"},
    {refusal_code::reserved_data_key, "reserved_data_key", "a data key that a provider keeps for itself"},
    {refusal_code::invalid_locale, "invalid_locale", "not the form of a language tag (BCP 47)"},
    {refusal_code::duplicate_locale, "duplicate_locale", "two spellings of the same language tag"},
    {refusal_code::too_many_locales, "too_many_locales", "more than 64 localisations"},
    {refusal_code::empty_localized, "empty_localized", "a localisation that replaces nothing"},
    {refusal_code::localized_without_notification, "localized_without_notification",
     "localisations of a push that shows nothing"},
    {refusal_code::invalid_time, "invalid_time", "neither RFC 3339 nor Unix seconds"},
    {refusal_code::send_at_too_far, "send_at_too_far", "send_at is more than 30 days ahead"},
    {refusal_code::invalid_ttl, "invalid_ttl", "ttl is less than a second"},
    {refusal_code::ttl_too_long, "ttl_too_long", "the event would live longer than 28 days"},
    {refusal_code::invalid_spread, "invalid_spread", "spread is negative, or longer than the event lives"},
    {refusal_code::invalid_quiet_hours, "invalid_quiet_hours", "a quiet_hours other than ignore"},
    {refusal_code::invalid_reached_by, "invalid_reached_by", "a reached_by that does not name other events"},
    {refusal_code::ttl_and_expires_at, "ttl_and_expires_at", "ttl and expires_at at once"},
    {refusal_code::expires_before_send_at, "expires_before_send_at", "the event expires before it is due"},
    {refusal_code::invalid_collapse_id, "invalid_collapse_id",
     "a collapse id that is empty, too long or unprintable"},
    {refusal_code::invalid_mode, "invalid_mode", "a mode other than actual and dry_run"},
    {refusal_code::invalid_op, "invalid_op", "an op other than register and unregister"},
    {refusal_code::token_and_fid, "token_and_fid", "token and fid at once"},
    {refusal_code::token_and_subscription, "token_and_subscription", "token and subscription at once"},
    {refusal_code::empty_follow, "empty_follow", "a device that follows nothing"},
    {refusal_code::too_many_follows, "too_many_follows", "a device that follows more than 100 territories"},
    {refusal_code::cannot_follow, "cannot_follow", "a selector that a device cannot follow"},
    {refusal_code::too_many_mutes, "too_many_mutes", "a device that mutes more than 32 categories"},
    {refusal_code::invalid_environment, "invalid_environment",
     "an environment that the platform does not have"},
    {refusal_code::registered_in_future, "registered_in_future", "registered_at is more than a day ahead"},
    {refusal_code::invalid_kind, "invalid_kind", "a kind other than received, displayed and opened"},
    {refusal_code::invalid_batch, "invalid_batch", "a batch id that is empty, too long or unprintable"},
    {refusal_code::empty_counts, "empty_counts", "a receipt that counts nobody"},
    {refusal_code::invalid_count, "invalid_count", "a count outside 1 to 1000000"},
    {refusal_code::unknown_commune, "unknown_commune", "no commune has this INSEE code"},
    {refusal_code::unknown_epci, "unknown_epci", "no EPCI has this SIREN number"},
    {refusal_code::unknown_department, "unknown_department", "no department has this code"},
    {refusal_code::invalid_territories_file, "invalid_territories_file",
     "the file of communes cannot be used"},
    {refusal_code::corrupt_audience, "corrupt_audience", "a stored audience cannot be read back"},
});
static_assert(refusal_table.size() == static_cast<std::size_t>(refusal_code::corrupt_audience) + 1);
static_assert(std::ranges::all_of(refusal_table, [](const refusal_meaning& entry) {
    return &entry == &refusal_table[static_cast<std::size_t>(entry.code)];
}));

[[nodiscard]] constexpr std::string_view to_string(refusal_code code) noexcept {
    return refusal_table[static_cast<std::size_t>(code)].word;
}

[[nodiscard]] inline refusal refuse(refusal_code code, std::string message) {
    return refusal{std::string(to_string(code)), std::move(message)};
}

}  // namespace tocsin
