#include "engine/event/event_writer.hpp"

#include "engine/core/rfc3339.hpp"
#include "engine/event/selector.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace tocsin {
namespace {

namespace json = boost::json;

void put(json::object& object, std::string_view name, std::string_view text) {
    if (!text.empty()) {
        object.emplace(name, text);
    }
}

json::object notification_object(const notification& given) {
    json::object object;
    put(object, "title", given.title);
    put(object, "subtitle", given.subtitle);
    put(object, "body", given.body);
    put(object, "image", given.image);
    put(object, "url", given.url);
    put(object, "sound", given.sound);
    if (given.badge) {
        object.emplace("badge", *given.badge);
    }
    put(object, "thread", given.thread);
    return object;
}

json::object localized_object(const publish_event& event) {
    json::object locales;
    for (const auto& [locale, text] : event.localized) {
        json::object one;
        put(one, "title", text.title);
        put(one, "subtitle", text.subtitle);
        put(one, "body", text.body);
        locales.emplace(locale, std::move(one));
    }
    return locales;
}

void put(json::object& object, std::string_view name, json::object&& inner) {
    if (!inner.empty()) {
        object.emplace(name, std::move(inner));
    }
}

}  // namespace

std::string to_json(const publish_event& event) {
    json::object document;
    put(document, "id", event.id);
    json::array audience;
    for (const selector& one : event.audience) {
        audience.emplace_back(to_string(one));
    }
    document.emplace("audience", std::move(audience));
    if (!event.apps.empty()) {
        document.emplace("apps", json::array(event.apps.begin(), event.apps.end()));
    }
    put(document, "category", event.category);
    if (event.priority != priority::normal) {
        put(document, "priority", to_string(event.priority));
    }
    if (event.notification) {
        put(document, "notification", notification_object(*event.notification));
    }
    json::object data;
    for (const auto& [key, value] : event.data) {
        data.emplace(key, value);
    }
    put(document, "data", std::move(data));
    put(document, "localized", localized_object(event));
    if (event.send_at) {
        document.emplace("send_at", format_rfc3339(*event.send_at));
    }
    if (event.expires_at != wall_time{}) {
        document.emplace("expires_at", format_rfc3339(event.expires_at));
    }
    if (event.spread.count() != 0) {
        document.emplace("spread", event.spread.count());
    }
    if (event.ignores_quiet_hours) {
        put(document, "quiet_hours", "ignore");
    }
    if (event.remembers_reached) {
        document.emplace("remember_reached", true);
    }
    if (!event.reached_by.empty()) {
        document.emplace("reached_by", json::array(event.reached_by.begin(), event.reached_by.end()));
    }
    put(document, "collapse_id", event.collapse_id);
    if (event.mode != delivery_mode::actual) {
        put(document, "mode", to_string(event.mode));
    }
    if (event.receipts) {
        document.emplace("receipts", true);
    }
    for (const platform_row& row : platform_table) {
        put(document, row.name, json::object(event.overrides[row.id]));
    }
    return json::serialize(document);
}

}  // namespace tocsin
