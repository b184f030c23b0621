#include "tools/cap/cap_event.hpp"

#include "engine/core/digest.hpp"
#include "engine/core/rfc3339.hpp"
#include "engine/core/text.hpp"
#include "engine/event/territory.hpp"
#include "tools/cap/cap_form.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <optional>

namespace tocsin {
namespace {

namespace json = boost::json;

// Together with the other languages' headers well within what both providers take (4,096 bytes), also where
// every letter has an accent. The rest is behind the link.
constexpr std::size_t title_bytes = 180;
constexpr std::size_t body_bytes = 1'500;
constexpr std::size_t max_selectors = 1'000;
// A minute less than the engine allows: it reads the event later than we write it.
constexpr auto longest_life = std::chrono::hours(28 * 24) - std::chrono::minutes(1);

/// At most `most` bytes, cut between words.
std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most) {
        return std::string(text);
    }
    std::string out(text.substr(0, most));
    while (!out.empty() && !is_utf8(out)) {
        out.pop_back();
    }
    if (const std::size_t space = out.find_last_of(" \n"); space != std::string::npos && space > most / 2) {
        out.resize(space);
    }
    return out + " …";
}

/// Line breaks and indentation of the XML are not the author's; empty lines between paragraphs are.
std::string unwrapped(std::string_view text) {
    std::string out;
    std::size_t breaks = 0;
    bool space = false;
    for (const char c : trimmed(text)) {
        if (c == '\n') {
            ++breaks;
            space = true;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            space = true;
        } else {
            if (space) {
                out += breaks > 1 ? '\n' : ' ';
            }
            space = false;
            breaks = 0;
            out += c;
        }
    }
    return out;
}

std::string title_of(const cap_info& info) {
    return shortened(unwrapped(info.headline.empty() ? info.event : info.headline), title_bytes);
}

std::string body_of(const cap_info& info) {
    std::string out = unwrapped(info.description);
    if (const std::string instruction = unwrapped(info.instruction); !instruction.empty()) {
        // What to do matters more than what happens: it is never what is cut off.
        out = shortened(out, body_bytes > instruction.size() ? body_bytes - instruction.size() : 0);
        out += (out.empty() || out == " …" ? std::string() : "\n") + instruction;
    }
    if (out.empty()) {
        out = unwrapped(info.event);
    }
    return shortened(out, body_bytes);
}

/// "fr-FR" → "fr"; lower case.
std::string language_of(const cap_info& info) {
    std::string out = info.language.substr(0, info.language.find('-'));
    std::ranges::transform(
        out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

/// The block whose texts everybody gets who has no better one: French, else the first.
const cap_info& main_info(const cap_message& message) {
    const auto french =
        std::ranges::find_if(message.infos, [](const cap_info& one) { return language_of(one) == "fr"; });
    return french == message.infos.end() ? message.infos.front() : *french;
}

void add_texts(json::object& event, const cap_message& message) {
    const cap_info& shown = main_info(message);
    json::object notification{{"title", title_of(shown)}, {"body", body_of(shown)}};
    if (shown.web.starts_with("https://")) {
        notification["url"] = shown.web;
    }
    event["notification"] = std::move(notification);
    json::object localized;
    for (const cap_info& info : message.infos) {
        const std::string language = language_of(info);
        if (&info != &shown && language != language_of(shown) && !localized.contains(language) &&
            is_word(language, "") && language.size() >= 2 && language.size() <= 3) {
            localized[language] = json::object{{"title", title_of(info)}, {"body", body_of(info)}};
        }
    }
    if (!localized.empty()) {
        event["localized"] = std::move(localized);
    }
}

void add_common(json::object& event, const cap_message& message, const cap_event_options& how) {
    event["id"] = cap_event_id(message.name);
    if (!how.apps.empty()) {
        event["apps"] = json::array(how.apps.begin(), how.apps.end());
    }
    if (!how.category.empty()) {
        event["category"] = how.category;
    }
    event["collapse_id"] = how.collapse_id;
    if (message.status != cap_status::actual) {
        event["mode"] = "dry_run";
    }
    std::optional<wall_time> expires;
    for (const cap_info& info : message.infos) {
        if (info.expires) {
            expires = std::max(expires.value_or(*info.expires), *info.expires);
        }
    }
    if (expires) {
        event["expires_at"] = format_rfc3339(std::min(*expires, how.now + longest_life));
    }
}

/// One code as a selector; empty if it is of a system that we do not know.
parsed<std::string> selector_of(const cap_geocode& code, const territories& places) {
    std::string system = code.system;
    std::ranges::transform(
        system, system.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    const auto unknown = [&](std::string_view what) {
        return cap_refusal(
            "unknown_territory", code.line,
            "there is no " + std::string(what) + " \"" + code.value.substr(0, 24) + "\"");
    };
    if (system == "INSEE") {
        const auto id = parse_commune_id(code.value);
        return id && places.find(*id) != nullptr ? parsed<std::string>("commune:" + code.value)
                                                 : parsed<std::string>(unknown("commune"));
    }
    if (system == "SIREN") {
        const auto id = parse_epci_id(code.value);
        return id && !places.of_epci(*id).empty() ? parsed<std::string>("epci:" + code.value)
                                                  : parsed<std::string>(unknown("EPCI"));
    }
    if (system == "DEPARTMENT") {
        const auto id = parse_department_id(code.value);
        return id && !places.of_department(*id).empty() ? parsed<std::string>("department:" + code.value)
                                                        : parsed<std::string>(unknown("department"));
    }
    return std::string();
}

}  // namespace

std::string cap_key(const cap_name& name) {
    return to_hex(hash_token(name.sender + "," + name.identifier + "," + name.sent).view());
}

std::string cap_event_id(const cap_name& name) {
    return "cap-" + cap_key(name);
}

std::string cap_collapse_id(const cap_message& message) {
    const auto oldest = std::ranges::min_element(message.references, {}, [](const cap_name& one) {
        return parse_rfc3339(one.sent).value_or(wall_time::max());
    });
    return cap_event_id(oldest == message.references.end() ? message.name : *oldest);
}

priority cap_priority(const cap_message& message) {
    priority out = priority::low;
    for (const cap_info& info : message.infos) {
        const bool grave = info.severity == cap_severity::extreme || info.severity == cap_severity::severe;
        const bool slight = info.severity == cap_severity::minor || info.severity == cap_severity::unknown;
        const bool at_once = info.urgency == cap_urgency::immediate;
        const bool over = info.urgency == cap_urgency::past || info.urgency == cap_urgency::unknown;
        const priority one = grave && at_once   ? priority::critical
                             : grave || at_once ? priority::high
                             : slight && over   ? priority::low
                                                : priority::normal;
        out = std::min(out, one);  // The most urgent comes first.
    }
    return out;
}

parsed<std::vector<std::string>> cap_audience(const cap_message& message, const territories& places) {
    std::vector<std::string> out;
    for (const cap_info& info : message.infos) {
        for (const cap_area& area : info.areas) {
            std::size_t known = 0;
            for (const cap_geocode& code : area.geocodes) {
                auto selector = selector_of(code, places);
                if (!selector) {
                    return selector.error();
                }
                known += selector->empty() ? 0 : 1;
                if (!selector->empty() && std::ranges::find(out, *selector) == out.end()) {
                    out.push_back(std::move(*selector));
                }
            }
            if (known == 0 && area.has_shape) {
                return cap_refusal(
                    "no_territory", area.line,
                    "area is drawn as a polygon or circle and names no commune: add a geocode INSEE, SIREN "
                    "or DEPARTMENT");
            }
            if (known == 0 && !area.geocodes.empty()) {
                return cap_refusal(
                    "no_territory", area.geocodes.front().line,
                    "geocode \"" + area.geocodes.front().system.substr(0, 24) +
                        "\" is not known here: areas are named by INSEE, SIREN or DEPARTMENT");
            }
            if (known == 0) {
                return cap_refusal(
                    "no_territory", area.line, "area names no geocode: add INSEE, SIREN or DEPARTMENT");
            }
            if (out.size() > max_selectors) {
                return cap_refusal(
                    "too_many_territories", area.line,
                    "the areas name more than 1000 territories: name departments or EPCIs instead");
            }
        }
    }
    return out;
}

parsed<json::object> cap_event(
    const cap_message& message, const territories& places, const cap_event_options& how) {
    if (message.kind == cap_kind::ack || message.kind == cap_kind::error) {
        return cap_refusal(
            "nothing_to_send", 1, "an Ack or an Error is for other systems: it tells residents nothing");
    }
    if (message.infos.empty()) {
        return cap_refusal("no_info", 1, "the message has no info: there is nothing to tell");
    }
    const auto audience = cap_audience(message, places);
    if (!audience) {
        return audience.error();
    }
    if (audience->empty()) {
        return cap_refusal(
            "no_territory", message.infos.front().line,
            "info has no area: name the territory by a geocode INSEE, SIREN or DEPARTMENT");
    }
    json::object event;
    add_common(event, message, how);
    event["audience"] = json::array(audience->begin(), audience->end());
    event["priority"] = to_string(cap_priority(message));
    event["remember_reached"] = true;
    add_texts(event, message);
    return event;
}

json::object cap_all_clear(
    const cap_message& message, const json::array& audience, std::string_view title,
    const cap_event_options& how) {
    json::object event;
    add_common(event, message, how);
    // What a Cancel says of its own end is of the warning, and often past already. Who has the warning on the
    // screen is to be told, whenever that is.
    event.erase("expires_at");
    event["audience"] = audience;
    // Soon, but never ahead of what still warns of something.
    event["priority"] = to_string(priority::high);
    if (!how.reached_by.empty()) {
        event["reached_by"] = json::array(how.reached_by.begin(), how.reached_by.end());
    }
    if (how.ignores_quiet_hours) {
        event["quiet_hours"] = "ignore";
    }
    if (!message.infos.empty()) {
        add_texts(event, message);
        return event;
    }
    event["notification"] = json::object{{"title", "Fin d’alerte"}, {"body", std::string(title)}};
    event["localized"] =
        json::object{{"en", json::object{{"title", "All clear"}, {"body", std::string(title)}}}};
    return event;
}

}  // namespace tocsin
