#include "providers/webpush/renderer.hpp"

#include "engine/core/plain_json.hpp"
#include "providers/common/json_check.hpp"
#include "providers/common/json_merge.hpp"
#include "providers/common/locale_table.hpp"
#include "providers/webpush/encryption.hpp"
#include "providers/webpush/payload.hpp"

#include <boost/json/value.hpp>

#include <vector>

namespace tocsin::webpush {
namespace {

namespace json = boost::json;

refusal bad_override(std::string message) {
    return {"invalid_override", "webpush." + std::move(message)};
}

/// What an override may have made of the message. A browser shows nothing at all for what it cannot read, and
/// takes the right to push away from who sends such things.
parsed<> check_payload(const json::object& payload, bool background) {
    if (const std::string null = find_null(payload, ""); !null.empty()) {
        return bad_override(null + " is null: in a list there is nothing to remove");
    }
    const auto* const shown = payload.if_contains("notification");
    if (shown == nullptr || !shown->is_object()) {
        return bad_override("notification must be an object");
    }
    for (const char* const name : {"title", "navigate"}) {
        const auto* const text = shown->get_object().if_contains(name);
        if (text == nullptr ? !background : !text->is_string() || text->get_string().empty()) {
            return bad_override(std::string("notification.") + name + " must be a text");
        }
    }
    return {};
}

}  // namespace

parsed<std::shared_ptr<const rendered_message>> renderer::render(const publish_event& event) const {
    std::vector<std::string> texts;
    const auto add = [&](const localized_text* text, std::string_view locale) -> parsed<> {
        json::object payload = make_payload(event, text, locale, url_);
        merge_json(payload, event.overrides[platform::webpush]);
        if (auto fine = check_payload(payload, event.is_background()); fine.has_error()) {
            return fine;
        }
        texts.push_back(plain_json(json::value(std::move(payload))));
        if (const std::size_t size = texts.back().size(); size > largest_plaintext) {
            return payload_too_large("Web Push payload", app_, locale, size, largest_plaintext);
        }
        return {};
    };
    auto locales = make_variants(event, add);
    if (locales.has_error()) {
        return locales.error();
    }
    return std::make_shared<const rendered_message>(
        std::move(texts), std::move(*locales), topic_of(event), urgency_of(event.priority), event.expires_at);
}

}  // namespace tocsin::webpush
