#include "engine/event/event_parser.hpp"

#include "engine/core/json_members.hpp"
#include "engine/core/text.hpp"
#include "engine/event/document_fields.hpp"
#include "engine/event/event_content.hpp"
#include "engine/event/refusal_codes.hpp"
#include "engine/event/selector.hpp"
#include "engine/event/words.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace tocsin {
namespace {

namespace json = boost::json;

constexpr auto priorities = std::to_array<std::string_view>({"critical", "high", "normal", "low"});
constexpr auto modes = std::to_array<std::string_view>({"actual", "dry_run"});

std::string element_path(std::string_view name, std::size_t index) {
    return std::string(name) + "[" + std::to_string(index) + "]";
}

parsed<> read_id(const json::object& document, std::string_view entry_id, publish_event& event) {
    const bool named = document.contains("id");
    event.id = named ? text_at(document, "id") : entry_id;
    if (!named && event.id.empty()) {
        return refuse(refusal_code::missing_field, "id is required where no stream entry gives one");
    }
    if (event.id.empty() || event.id.size() > event_limits::max_id) {
        return refuse(
            refusal_code::invalid_id,
            "id must have 1 to 128 characters, not " + std::to_string(event.id.size()));
    }
    if (!is_word(event.id, "._:-")) {
        return refuse(
            refusal_code::invalid_id, "id must be made of A-Z a-z 0-9 . _ : -, not " + in_quotes(event.id));
    }
    return {};
}

parsed<> read_audience(platform_set platforms, const json::array& selectors, publish_event& event) {
    if (selectors.empty()) {
        return refuse(refusal_code::empty_audience, "audience is empty: name at least one selector");
    }
    if (selectors.size() > event_limits::max_selectors) {
        return refuse(
            refusal_code::too_many_selectors,
            "audience has " + std::to_string(selectors.size()) + " selectors; at most 1000 are allowed");
    }
    event.audience.reserve(selectors.size());
    for (std::size_t i = 0; i < selectors.size(); ++i) {
        const std::string path = element_path("audience", i);
        if (!selectors[i].is_string()) {
            return wrong_type(path, json_kind::string, selectors[i]);
        }
        auto one = parse_selector(platforms, text_of(selectors[i]), path);
        if (!one) {
            return std::move(one).error();
        }
        event.audience.push_back(std::move(*one));
    }
    return {};
}

parsed<> read_apps(const json::array& apps, publish_event& event) {
    if (apps.empty()) {
        // An empty list is far likelier a backend's mistake than a wish for all apps.
        return refuse(refusal_code::empty_apps, "apps is empty: leave it out to mean every app");
    }
    if (apps.size() > event_limits::max_apps) {
        return refuse(
            refusal_code::too_many_apps,
            "apps has " + std::to_string(apps.size()) + " entries; at most 1000 are allowed");
    }
    for (std::size_t i = 0; i < apps.size(); ++i) {
        const std::string path = element_path("apps", i);
        if (!apps[i].is_string()) {
            return wrong_type(path, json_kind::string, apps[i]);
        }
        const std::string_view app = text_of(apps[i]);
        if (auto fine = check_app(app, path); !fine) {
            return fine;
        }
        if (std::ranges::find(event.apps, app) == event.apps.end()) {
            event.apps.emplace_back(app);
        }
    }
    return {};
}

parsed<> read_reached(const json::object& document, publish_event& event) {
    if (const auto* flag = document.if_contains("remember_reached")) {
        event.remembers_reached = flag->get_bool();
    }
    const auto* const given = document.if_contains("reached_by");
    if (given == nullptr) {
        return {};
    }
    const json::array& events = given->get_array();
    if (events.empty() || events.size() > event_limits::max_reached_by) {
        return refuse(
            refusal_code::invalid_reached_by,
            "reached_by must name 1 to 100 events, not " + std::to_string(events.size()));
    }
    for (std::size_t i = 0; i < events.size(); ++i) {
        const std::string path = element_path("reached_by", i);
        if (!events[i].is_string()) {
            return wrong_type(path, json_kind::string, events[i]);
        }
        const std::string_view id = text_of(events[i]);
        if (id.empty() || id.size() > event_limits::max_id || !is_word(id, "._:-") || id == event.id) {
            return refuse(
                refusal_code::invalid_reached_by,
                path + " must be the id of another event, not " + in_quotes(id));
        }
        if (std::ranges::find(event.reached_by, id) == event.reached_by.end()) {
            event.reached_by.emplace_back(id);
        }
    }
    return {};
}

parsed<> read_words(const json::object& document, publish_event& event) {
    if (document.contains("category")) {
        event.category = text_at(document, "category");
        if (auto fine = check_category(event.category, "category"); !fine) {
            return fine;
        }
    }
    if (document.contains("priority")) {
        const std::string_view name = text_at(document, "priority");
        const auto value = parse_priority(name);
        if (!value) {
            return refuse(
                refusal_code::invalid_priority, "priority must be critical, high, normal or low, not " +
                                                    in_quotes(name) + suggestion(name, priorities));
        }
        event.priority = *value;
    }
    if (document.contains("mode")) {
        const std::string_view name = text_at(document, "mode");
        const auto value = parse_delivery_mode(name);
        if (!value) {
            return refuse(
                refusal_code::invalid_mode,
                "mode must be actual or dry_run, not " + in_quotes(name) + suggestion(name, modes));
        }
        event.mode = *value;
    }
    if (document.contains("quiet_hours")) {
        if (const std::string_view word = text_at(document, "quiet_hours"); word != "ignore") {
            return refuse(
                refusal_code::invalid_quiet_hours,
                "quiet_hours must be ignore, or not there, not " + in_quotes(word));
        }
        event.ignores_quiet_hours = true;
    }
    return {};
}

parsed<> read_collapse_id(const json::object& document, publish_event& event) {
    if (!document.contains("collapse_id")) {
        return {};
    }
    const std::string_view id = text_at(document, "collapse_id");
    if (id.empty() || id.size() > max_collapse_id) {
        return refuse(
            refusal_code::invalid_collapse_id,
            "collapse_id must have 1 to 64 bytes, not " + std::to_string(id.size()));
    }
    // It travels in a header, where control characters and blanks at the ends have no place.
    const bool control = std::ranges::any_of(id, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
    if (control || id.front() == ' ' || id.back() == ' ') {
        return refuse(
            refusal_code::invalid_collapse_id,
            control ? "collapse_id holds a control character" : "collapse_id begins or ends with a space");
    }
    event.collapse_id = id;
    return {};
}

/// The milliseconds at the head of a stream entry's id; `now` if there are none, or if they lie ahead of it.
wall_time entry_time(std::string_view entry_id, wall_time now) noexcept {
    std::int64_t milliseconds = 0;
    const char* const end = entry_id.data() + entry_id.size();
    const auto [stop, failure] = std::from_chars(entry_id.data(), end, milliseconds);
    const bool whole = failure == std::errc() && (stop == end || *stop == '-');
    // An id that a client chose (XADD key 7-1) is no time; a year 9999 would overflow later sums.
    constexpr std::int64_t earliest = 946'684'800'000;
    constexpr std::int64_t latest = 253'402'300'799'000;
    if (!whole || milliseconds < earliest || milliseconds > latest) {
        return now;
    }
    // One id ahead of the clock, and Redis numbers every later entry from there: a ttl must not last for
    // years.
    return std::min(wall_time(std::chrono::milliseconds(milliseconds)), now);
}

parsed<> read_ttl(std::int64_t seconds, wall_time base, publish_event& event) {
    if (seconds < 1) {
        return refuse(
            refusal_code::invalid_ttl, "ttl must be at least 1 second, not " + std::to_string(seconds));
    }
    if (seconds > event_limits::max_ttl.count()) {
        return refuse(
            refusal_code::ttl_too_long,
            "ttl must be at most 2419200 seconds (28 days), not " + std::to_string(seconds));
    }
    event.expires_at = base + std::chrono::seconds(seconds);
    return {};
}

parsed<> read_times(
    const json::object& document, std::string_view entry_id, const event_limits& limits, wall_time now,
    publish_event& event) {
    if (const auto* value = document.if_contains("send_at")) {
        const auto when = read_time(*value, "send_at");
        if (!when) {
            return when.error();
        }
        if (*when - now > event_limits::max_delay) {
            return refuse(
                refusal_code::send_at_too_far,
                "send_at must be at most 30 days ahead, not " +
                    std::to_string(std::chrono::duration_cast<std::chrono::days>(*when - now).count()));
        }
        event.send_at = *when;
    }
    const wall_time base = event.send_at.value_or(entry_time(entry_id, now));
    const auto* ttl = document.if_contains("ttl");
    const auto* expires = document.if_contains("expires_at");
    if (ttl != nullptr && expires != nullptr) {
        return refuse(refusal_code::ttl_and_expires_at, "ttl and expires_at exclude each other: keep one");
    }
    if (ttl != nullptr) {
        return read_ttl(ttl->get_int64(), base, event);
    }
    if (expires == nullptr) {
        event.expires_at = base + limits.default_ttl;
        return {};
    }
    const auto when = read_time(*expires, "expires_at");
    if (!when) {
        return when.error();
    }
    if (event.send_at && *when <= *event.send_at) {
        return refuse(refusal_code::expires_before_send_at, "expires_at must lie after send_at");
    }
    if (*when - base > event_limits::max_ttl) {
        return refuse(
            refusal_code::ttl_too_long,
            "expires_at must lie at most 28 days after " +
                std::string(event.send_at ? "send_at" : "the event was published"));
    }
    event.expires_at = *when;
    return {};
}

parsed<> read_spread(
    const json::object& document, std::string_view entry_id, wall_time now, publish_event& event) {
    const auto* const given = document.if_contains("spread");
    if (given == nullptr) {
        return {};
    }
    const std::int64_t seconds = given->get_int64();
    const wall_time base = event.send_at.value_or(entry_time(entry_id, now));
    const auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(event.expires_at - base).count();
    if (seconds < 0 || (seconds > 0 && seconds >= lifetime)) {
        return refuse(
            refusal_code::invalid_spread, "spread must be at least 0 and less than the " +
                                              std::to_string(std::max<std::int64_t>(0, lifetime)) +
                                              " seconds that the event lives, not " +
                                              std::to_string(seconds));
    }
    event.spread = std::chrono::seconds(seconds);
    return {};
}

json::object object_field(const json::object& document, std::string_view name) {
    const auto* value = document.if_contains(name);
    return value == nullptr ? json::object() : value->get_object();
}

}  // namespace

parsed<publish_event> parse_event(
    platform_set platforms, std::string_view json, std::string_view entry_id, const event_limits& limits,
    wall_time now) {
    auto document = parse_document(json, limits.document);
    if (!document) {
        return std::move(document).error();
    }
    if (auto fine = check_fields(*document, event_fields, ""); !fine) {
        return std::move(fine).error();
    }
    publish_event event;
    if (auto fine = read_id(*document, entry_id, event); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_audience(platforms, document->at("audience").get_array(), event); !fine) {
        return std::move(fine).error();
    }
    if (const auto* apps = document->if_contains("apps")) {
        if (auto fine = read_apps(apps->get_array(), event); !fine) {
            return std::move(fine).error();
        }
    }
    if (auto fine = read_words(*document, event); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_content(platforms, *document, event); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_times(*document, entry_id, limits, now, event); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_spread(*document, entry_id, now, event); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_reached(*document, event); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_collapse_id(*document, event); !fine) {
        return std::move(fine).error();
    }
    if (const auto* receipts = document->if_contains("receipts")) {
        event.receipts = receipts->get_bool();
    }
    if (event.receipts && document->contains("data") &&
        document->at("data").get_object().contains(receipt_key)) {
        return refuse(
            refusal_code::reserved_data_key,
            "data." + std::string(receipt_key) + ": with receipts, the key carries the event's id");
    }
    for (const platform_traits* const one : platforms.all()) {
        json::object& own = event.overrides[one->kind()];
        own = object_field(*document, to_string(one->kind()));
        event.validated[static_cast<std::size_t>(one->kind())] = one->validates(own);
    }
    return event;
}

}  // namespace tocsin
