#include "providers/apns/renderer.hpp"

#include "engine/core/digest.hpp"
#include "engine/core/plain_json.hpp"
#include "providers/apns/override_rules.hpp"
#include "providers/apns/payload.hpp"
#include "providers/apns/push_type.hpp"
#include "providers/common/json_check.hpp"
#include "providers/common/json_merge.hpp"
#include "providers/common/locale_table.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace tocsin::apns {
namespace {

namespace json = boost::json;

refusal bad_override(std::string message) {
    return {"invalid_override", "apns." + std::move(message)};
}

/// The type that the event names; null if it names none.
const json::string* named_push_type(const publish_event& event) noexcept {
    const auto* const headers = event.overrides[platform::apns].if_contains("headers");
    const auto* const named = headers == nullptr || !headers->is_object()
                                  ? nullptr
                                  : headers->get_object().if_contains("apns-push-type");
    return named == nullptr ? nullptr : named->if_string();
}

/// The type that the event names, else what it looks like.
std::string push_type_of(const publish_event& event) {
    if (const json::string* const named = named_push_type(event)) {
        return std::string(*named);
    }
    return event.is_background() ? "background" : "alert";
}

shared_headers default_headers(const publish_event& event) {
    shared_headers out;
    out.push_type = push_type_of(event);
    // APNs takes a background push of priority 5 alone; a call must ring, and a widget be as fresh as the
    // event is.
    out.priority = out.push_type == "background" || event.priority == priority::low ? "5" : "10";
    out.expiration =
        std::to_string(std::chrono::floor<std::chrono::seconds>(event.expires_at).time_since_epoch().count());
    out.collapse_id = event.effective_collapse_id();
    return out;
}

/// What an override may have made of the payload.
parsed<> check_payload(const json::object& payload, const push_type& type) {
    if (const std::string null = find_null(payload, ""); !null.empty()) {
        return bad_override(null + " is null: in a list there is nothing to remove");
    }
    const auto* const aps = payload.if_contains("aps");
    if (aps == nullptr || !aps->is_object()) {
        return bad_override("aps must be an object");
    }
    return check_aps(aps->get_object(), &type, false, {});
}

json::object root_overrides(const json::object& overrides) {
    json::object out = overrides;
    out.erase("headers");
    return out;
}

}  // namespace

parsed<std::shared_ptr<const rendered_message>> renderer::render(const publish_event& event) const {
    if (std::ranges::any_of(event.data, [](const auto& entry) { return entry.first == "aps"; })) {
        return refusal{"reserved_data_key", "data.aps: the key \"aps\" belongs to APNs; choose another"};
    }
    shared_headers headers = default_headers(event);
    const std::string usual_type = headers.push_type;
    if (const auto* given = event.overrides[platform::apns].if_contains("headers")) {
        if (const auto done = override_headers(headers, *given, {}); done.has_error()) {
            return done.error();
        }
    }
    const push_type* const type = find_push_type(headers.push_type);
    const bool overridden = !headers.topic.empty() || headers.push_type != usual_type;
    if (headers.topic.empty()) {
        headers.topic = topic_;
        if (type != nullptr && !headers.topic.ends_with(type->topic_suffix)) {
            headers.topic += type->topic_suffix;
        }
    }
    if (const auto fine = check_headers(headers, type, uses_certificate_, {}); fine.has_error()) {
        return fine.error();
    }

    const json::object overrides = root_overrides(event.overrides[platform::apns]);
    std::vector<std::string> bodies;
    const auto add = [&](const localized_text* text, std::string_view locale) -> parsed<> {
        json::object payload = make_payload(event, text, type->name);
        merge_json(payload, overrides);
        if (auto fine = check_payload(payload, *type); fine.has_error()) {
            return fine;
        }
        bodies.push_back(plain_json(json::value(std::move(payload))));
        if (const std::size_t size = bodies.back().size(); size > type->payload_limit) {
            return payload_too_large("APNs payload", app_, locale, size, type->payload_limit);
        }
        return {};
    };
    auto locales = make_variants(event, add);
    if (locales.has_error()) {
        return locales.error();
    }
    return std::make_shared<const rendered_message>(
        std::move(headers), std::move(bodies), std::move(*locales), event_seed(event.id), event.expires_at,
        overridden);
}

}  // namespace tocsin::apns
