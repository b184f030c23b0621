#include "providers/webpush/payload.hpp"

#include "engine/core/digest.hpp"
#include "engine/core/text.hpp"

namespace tocsin::webpush {
namespace {

namespace json = boost::json;

constexpr std::int64_t magic = 8030;  // The number of the RFC that Web Push is.
constexpr std::size_t longest_topic = 32;

void put(json::object& target, std::string_view key, const std::string& value) {
    if (!value.empty()) {
        target[key] = value;
    }
}

const std::string& chosen(const std::string& localized, const std::string& original) {
    return localized.empty() ? original : localized;
}

json::object make_data(const publish_event& event) {
    json::object out;
    if (event.receipts) {
        out[receipt_key] = event.id;
    }
    for (const auto& [key, value] : event.data) {
        out[key] = value;
    }
    return out;
}

/// A notification has no subtitle here, and must have a title: what there is moves up.
void put_words(json::object& target, const notification& shown, const localized_text* text) {
    static const localized_text no_text;
    const localized_text& local = text != nullptr ? *text : no_text;
    std::string title = chosen(local.title, shown.title);
    const std::string& subtitle = chosen(local.subtitle, shown.subtitle);
    std::string body = chosen(local.body, shown.body);
    if (!subtitle.empty()) {
        body = body.empty() ? subtitle : subtitle + "\n" + body;
    }
    if (title.empty()) {
        title.swap(body);
    }
    put(target, "title", title);
    put(target, "body", body);
}

json::object make_notification(
    const publish_event& event, const localized_text* text, std::string_view locale, const std::string& url) {
    json::object out;
    if (!event.notification) {
        out["silent"] = true;
    } else {
        const notification& shown = *event.notification;
        put_words(out, shown, text);
        out["navigate"] = shown.url.empty() ? url : shown.url;
        put(out, "lang", std::string(locale));
        out["tag"] = event.effective_collapse_id();
        out["silent"] = event.priority == priority::low;
        put(out, "icon", shown.image);
        put(out, "image", shown.image);
        if (event.priority == priority::critical) {
            out["requireInteraction"] = true;
        }
    }
    if (json::object data = make_data(event); !data.empty()) {
        out["data"] = std::move(data);
    }
    return out;
}

}  // namespace

json::object make_payload(
    const publish_event& event, const localized_text* text, std::string_view locale, const std::string& url) {
    json::object out;
    out["web_push"] = magic;
    out["notification"] = make_notification(event, text, locale, url);
    if (event.notification && event.notification->badge) {
        out["app_badge"] = *event.notification->badge;
    }
    if (event.receipts) {
        // Where the browser shows it by itself, the service worker is asked as well, and can report.
        out["mutable"] = true;
    }
    return out;
}

std::string topic_of(const publish_event& event) {
    std::string id = event.effective_collapse_id();
    if (id.size() <= longest_topic && is_word(id, "-_")) {
        return id;
    }
    return sha256_hex(id).substr(0, longest_topic);
}

std::string_view urgency_of(priority value) noexcept {
    switch (value) {
        case priority::critical:
        case priority::high: return "high";
        case priority::normal: return "normal";
        case priority::low: return "low";
    }
    return "normal";
}

}  // namespace tocsin::webpush
