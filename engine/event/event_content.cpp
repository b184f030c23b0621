#include "engine/event/event_content.hpp"

#include "engine/core/json_members.hpp"
#include "engine/event/document_fields.hpp"
#include "engine/event/json_document.hpp"
#include "engine/event/locale.hpp"
#include "engine/event/refusal_codes.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace tocsin {
namespace {

namespace json = boost::json;

struct text_rule {
    std::string_view name;
    std::size_t limit;
    std::string notification::*member;
};

const auto notification_texts = std::to_array<text_rule>({
    {"title", max_text, &notification::title},
    {"subtitle", max_text, &notification::subtitle},
    {"body", max_text, &notification::body},
    {"image", max_url, &notification::image},
    {"url", max_url, &notification::url},
    {"sound", max_short_text, &notification::sound},
    {"thread", max_short_text, &notification::thread},
});

parsed<> check_url(std::string_view text, bool https_only, std::string_view path) {
    const auto url = boost::urls::parse_uri({text.data(), text.size()});
    if (!url) {
        return refuse(
            refusal_code::invalid_url, std::string(path) +
                                           " must be an absolute URL (RFC 3986, percent-encoded), not " +
                                           in_quotes(text));
    }
    if (!https_only) {
        return {};
    }
    if (url->scheme_id() != boost::urls::scheme::https) {
        return refuse(
            refusal_code::invalid_url, std::string(path) + " must be an https URL, not " + in_quotes(text));
    }
    if (url->encoded_host().empty()) {
        return refuse(refusal_code::invalid_url, std::string(path) + " names no host: " + in_quotes(text));
    }
    return {};
}

/// The first field of a notification that shows something although it has no words.
std::string_view shown_without_words(const notification& given) noexcept {
    if (given.badge) {
        return "badge";
    }
    for (const text_rule& rule : notification_texts) {
        if (!(given.*rule.member).empty()) {
            return rule.name;
        }
    }
    return {};
}

parsed<> read_notification(const json::object& object, bool has_data, publish_event& event) {
    if (auto fine = check_fields(object, notification_fields, "notification"); !fine) {
        return fine;
    }
    notification given;
    for (const text_rule& rule : notification_texts) {
        const std::string_view text = text_at(object, rule.name);
        if (auto fine = check_text(text, rule.limit, join_path("notification", rule.name)); !fine) {
            return fine;
        }
        given.*rule.member = text;
    }
    if (const auto* badge = object.if_contains("badge")) {
        const std::int64_t count = badge->get_int64();
        if (count < 0 || count > std::numeric_limits<std::int32_t>::max()) {
            return refuse(
                refusal_code::invalid_badge,
                "notification.badge must be 0 to 2147483647, not " + std::to_string(count));
        }
        given.badge = count;
    }
    if (!given.image.empty()) {
        if (auto fine = check_url(given.image, true, "notification.image"); !fine) {
            return fine;
        }
    }
    if (!given.url.empty()) {
        if (auto fine = check_url(given.url, false, "notification.url"); !fine) {
            return fine;
        }
    }
    if (given.title.empty() && given.body.empty()) {
        const std::string_view shown = shown_without_words(given);
        if (!shown.empty()) {
            return refuse(
                refusal_code::empty_notification,
                "notification has a " + std::string(shown) +
                    " but neither title nor body; a silent push has none of them");
        }
        if (!has_data) {
            return refuse(
                refusal_code::empty_notification,
                "notification needs a title or a body, unless data makes it a silent push");
        }
        return {};
    }
    event.notification = std::move(given);
    return {};
}

/// Which provider would refuse the key, or take it for its own; empty if none would.
std::string_view reserved_by(platform_set platforms, std::string_view key) noexcept {
    const auto owner = std::ranges::find_if(
        platforms.all(), [key](const platform_traits* one) { return one->reserves(key); });
    return owner == platforms.all().end() ? std::string_view() : (*owner)->title();
}

parsed<> read_data(platform_set platforms, const json::object& object, publish_event& event) {
    if (object.size() > max_data_entries) {
        return refuse(
            refusal_code::too_many_data,
            "data has " + std::to_string(object.size()) + " entries; at most 64 are allowed");
    }
    event.data.reserve(object.size());
    for (const auto& [json_key, value] : object) {
        const std::string_view key(json_key.data(), json_key.size());
        if (key.empty() || key.size() > max_data_key) {
            return refuse(
                refusal_code::invalid_data_key,
                "a data key must have 1 to 256 bytes, not " + std::to_string(key.size()));
        }
        const std::string path = join_path("data", excerpt(key, longest_key_excerpt));
        if (const std::string_view owner = reserved_by(platforms, key); !owner.empty()) {
            return refuse(
                refusal_code::reserved_data_key,
                path + " is reserved by " + std::string(owner) + "; take another key");
        }
        if (!value.is_string()) {
            return wrong_type(path, json_kind::string, value);
        }
        event.data.emplace_back(key, text_of(value));
    }
    return {};
}

parsed<> read_localized(const json::object& object, publish_event& event) {
    if (object.size() > max_localizations) {
        return refuse(
            refusal_code::too_many_locales,
            "localized has " + std::to_string(object.size()) + " locales; at most 64 are allowed");
    }
    for (const auto& [json_key, value] : object) {
        const std::string_view key(json_key.data(), json_key.size());
        auto locale = normalize_locale(key, "a key of localized");
        if (!locale) {
            return std::move(locale).error();
        }
        const std::string path = join_path("localized", excerpt(key, longest_key_excerpt));
        const auto* texts = value.if_object();
        if (texts == nullptr) {
            return wrong_type(path, json_kind::object, value);
        }
        if (auto fine = check_fields(*texts, localized_fields, path); !fine) {
            return fine;
        }
        localized_text given{
            .title = std::string(text_at(*texts, "title")),
            .subtitle = std::string(text_at(*texts, "subtitle")),
            .body = std::string(text_at(*texts, "body"))};
        for (const auto& [name, text] :
             {std::pair<std::string_view, std::string_view>("title", given.title),
              std::pair<std::string_view, std::string_view>("subtitle", given.subtitle),
              std::pair<std::string_view, std::string_view>("body", given.body)}) {
            if (auto fine = check_text(text, max_text, join_path(path, name)); !fine) {
                return fine;
            }
        }
        if (given == localized_text{}) {
            return refuse(refusal_code::empty_localized, path + " replaces neither title, subtitle nor body");
        }
        if (!event.localized.try_emplace(*locale, std::move(given)).second) {
            return refuse(
                refusal_code::duplicate_locale,
                path + " is another spelling of a locale that was given before");
        }
    }
    return {};
}

/// Whether what the event says to single platforms is something to send by itself.
bool has_own_content(platform_set platforms, const json::object& document) noexcept {
    return std::ranges::any_of(platforms.all(), [&](const platform_traits* one) {
        const auto* const own = document.if_contains(to_string(one->kind()));
        return own != nullptr && own->is_object() && one->is_content(own->get_object());
    });
}

}  // namespace

parsed<> read_content(platform_set platforms, const json::object& document, publish_event& event) {
    if (const auto* data = document.if_contains("data")) {
        if (auto fine = read_data(platforms, data->get_object(), event); !fine) {
            return fine;
        }
    }
    const auto* shown = document.if_contains("notification");
    if (shown != nullptr) {
        if (auto fine = read_notification(shown->get_object(), !event.data.empty(), event); !fine) {
            return fine;
        }
    } else if (event.data.empty() && !has_own_content(platforms, document)) {
        return refuse(
            refusal_code::nothing_to_send,
            document.contains("data") ? "data is empty and there is no notification: nothing to send"
                                      : "the event has neither a notification nor data: nothing to send");
    }
    const auto* localized = document.if_contains("localized");
    if (localized == nullptr || localized->get_object().empty()) {
        return {};
    }
    if (!event.notification) {
        return refuse(
            refusal_code::localized_without_notification,
            "localized replaces the words of a notification, and this event has none");
    }
    return read_localized(localized->get_object(), event);
}

}  // namespace tocsin
