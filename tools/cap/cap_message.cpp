#include "tools/cap/cap_message.hpp"

#include "engine/core/rfc3339.hpp"
#include "tools/cap/cap_form.hpp"
#include "tools/cap/xml_reader.hpp"

#include <algorithm>
#include <array>

namespace tocsin {
namespace {

constexpr auto statuses = std::to_array<std::string_view>({"Actual", "Exercise", "System", "Test", "Draft"});
constexpr auto kinds = std::to_array<std::string_view>({"Alert", "Update", "Cancel", "Ack", "Error"});
constexpr auto urgencies =
    std::to_array<std::string_view>({"Immediate", "Expected", "Future", "Past", "Unknown"});
constexpr auto severities =
    std::to_array<std::string_view>({"Extreme", "Severe", "Moderate", "Minor", "Unknown"});

/// The one child of that name; null if there is none.
const xml_element* child_of(const xml_element& parent, std::string_view name) {
    const auto found = std::ranges::find_if(parent.children, [&](const xml_element& child) {
        return child.name == name && child.name_space == cap_namespace;
    });
    return found == parent.children.end() ? nullptr : &*found;
}

std::string text_of(const xml_element& parent, std::string_view name) {
    const xml_element* const child = child_of(parent, name);
    return child == nullptr ? std::string() : std::string(trimmed(child->text));
}

/// Its place in `words`, which check_cap_form() has made sure of.
template <class Enum, std::size_t Count>
Enum enum_of(
    const xml_element& parent, std::string_view name, const std::array<std::string_view, Count>& words) {
    const std::string value = text_of(parent, name);
    return static_cast<Enum>(std::ranges::find(words, value) - words.begin());
}

cap_area area_of(const xml_element& element) {
    cap_area out;
    out.line = element.line;
    out.description = text_of(element, "areaDesc");
    out.has_shape = child_of(element, "polygon") != nullptr || child_of(element, "circle") != nullptr;
    for (const xml_element& child : element.children) {
        if (child.name == "geocode" && child.name_space == cap_namespace) {
            out.geocodes.push_back({text_of(child, "valueName"), text_of(child, "value"), child.line});
        }
    }
    return out;
}

cap_info info_of(const xml_element& element) {
    cap_info out;
    out.line = element.line;
    if (std::string language = text_of(element, "language"); !language.empty()) {
        out.language = std::move(language);
    }
    out.event = text_of(element, "event");
    out.urgency = enum_of<cap_urgency>(element, "urgency", urgencies);
    out.severity = enum_of<cap_severity>(element, "severity", severities);
    out.headline = text_of(element, "headline");
    out.description = text_of(element, "description");
    out.instruction = text_of(element, "instruction");
    out.web = text_of(element, "web");
    out.expires = parse_rfc3339(text_of(element, "expires"));
    for (const xml_element& child : element.children) {
        if (child.name == "area" && child.name_space == cap_namespace) {
            out.areas.push_back(area_of(child));
        }
    }
    return out;
}

/// "sender,identifier,sent" as often as there are messages, separated by white space.
parsed<std::vector<cap_name>> references_of(const xml_element& alert) {
    std::vector<cap_name> out;
    const xml_element* const element = child_of(alert, "references");
    if (element == nullptr) {
        return out;
    }
    std::string_view left = trimmed(element->text);
    while (!left.empty()) {
        const std::size_t end = std::min(left.find_first_of(" \t\r\n"), left.size());
        const std::string_view one = left.substr(0, end);
        const std::size_t first = one.find(',');
        const std::size_t second = first == std::string_view::npos ? first : one.find(',', first + 1);
        if (second == std::string_view::npos || one.find(',', second + 1) != std::string_view::npos ||
            !parse_rfc3339(one.substr(second + 1))) {
            return cap_refusal(
                "invalid_cap", element->line,
                "references must be sender,identifier,sent of each message, separated by blanks");
        }
        out.push_back(
            {std::string(one.substr(0, first)), std::string(one.substr(first + 1, second - first - 1)),
             std::string(one.substr(second + 1))});
        left = trimmed(left.substr(end));
    }
    return out;
}

parsed<> check_scope(const xml_element& alert) {
    const xml_element* const scope = child_of(alert, "scope");
    if (trimmed(scope->text) != "Public") {
        return cap_refusal(
            "not_public", scope->line,
            "scope is " + std::string(trimmed(scope->text)) +
                ": only what is meant for everybody (Public) can be sent to everybody");
    }
    return {};
}

}  // namespace

parsed<cap_message> read_cap(std::string_view document) {
    auto tree = read_xml(document);
    if (!tree) {
        return tree.error();
    }
    const xml_element& alert = *tree;
    if (auto fine = check_cap_form(alert); !fine) {
        return fine.error();
    }
    if (auto fine = check_scope(alert); !fine) {
        return fine.error();
    }
    cap_message out;
    out.name = {text_of(alert, "sender"), text_of(alert, "identifier"), text_of(alert, "sent")};
    out.sent = parse_rfc3339(out.name.sent).value();
    out.status = enum_of<cap_status>(alert, "status", statuses);
    out.kind = enum_of<cap_kind>(alert, "msgType", kinds);
    auto references = references_of(alert);
    if (!references) {
        return references.error();
    }
    out.references = std::move(*references);
    if ((out.kind == cap_kind::update || out.kind == cap_kind::cancel) && out.references.empty()) {
        return cap_refusal(
            "invalid_cap", child_of(alert, "msgType")->line,
            std::string(out.kind == cap_kind::update ? "an Update" : "a Cancel") +
                " must name the messages that it is about in references");
    }
    for (const xml_element& child : alert.children) {
        if (child.name == "info" && child.name_space == cap_namespace) {
            out.infos.push_back(info_of(child));
        }
    }
    return out;
}

}  // namespace tocsin
