#include "tools/cap/cap_form.hpp"

#include "engine/core/rfc3339.hpp"
#include "engine/core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tocsin {
namespace {

/// What an element may hold.
enum class content : std::uint8_t {
    text,
    name,  ///< No white space, comma, < or &: identifier and sender.
    date,
    number,
    word,     ///< One of a list.
    compound  ///< Other elements.
};

struct rule {
    std::string_view parent;
    std::string_view name;
    std::size_t at_least;
    std::size_t at_most;  ///< 0: any number.
    content holds;
    std::string_view words = {};  ///< content::word: what it may be, separated by blanks.
};

using enum content;

constexpr auto rules = std::to_array<rule>({
    {"alert", "identifier", 1, 1, name},
    {"alert", "sender", 1, 1, name},
    {"alert", "sent", 1, 1, date},
    {"alert", "status", 1, 1, word, "Actual Exercise System Test Draft"},
    {"alert", "msgType", 1, 1, word, "Alert Update Cancel Ack Error"},
    {"alert", "source", 0, 1, text},
    {"alert", "scope", 1, 1, word, "Public Restricted Private"},
    {"alert", "restriction", 0, 1, text},
    {"alert", "addresses", 0, 1, text},
    {"alert", "code", 0, 0, text},
    {"alert", "note", 0, 1, text},
    {"alert", "references", 0, 1, text},
    {"alert", "incidents", 0, 1, text},
    {"alert", "info", 0, 0, compound},
    {"info", "language", 0, 1, text},
    {"info", "category", 1, 0, word,
     "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other"},
    {"info", "event", 1, 1, text},
    {"info", "responseType", 0, 0, word,
     "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None"},
    {"info", "urgency", 1, 1, word, "Immediate Expected Future Past Unknown"},
    {"info", "severity", 1, 1, word, "Extreme Severe Moderate Minor Unknown"},
    {"info", "certainty", 1, 1, word, "Observed Likely Possible Unlikely Unknown"},
    {"info", "audience", 0, 1, text},
    {"info", "eventCode", 0, 0, compound},
    {"info", "effective", 0, 1, date},
    {"info", "onset", 0, 1, date},
    {"info", "expires", 0, 1, date},
    {"info", "senderName", 0, 1, text},
    {"info", "headline", 0, 1, text},
    {"info", "description", 0, 1, text},
    {"info", "instruction", 0, 1, text},
    {"info", "web", 0, 1, text},
    {"info", "contact", 0, 1, text},
    {"info", "parameter", 0, 0, compound},
    {"info", "resource", 0, 0, compound},
    {"info", "area", 0, 0, compound},
    {"eventCode", "valueName", 1, 1, text},
    {"eventCode", "value", 1, 1, text},
    {"parameter", "valueName", 1, 1, text},
    {"parameter", "value", 1, 1, text},
    {"resource", "resourceDesc", 1, 1, text},
    {"resource", "mimeType", 1, 1, text},
    {"resource", "size", 0, 1, number},
    {"resource", "uri", 0, 1, text},
    {"resource", "derefUri", 0, 1, text},
    {"resource", "digest", 0, 1, text},
    {"area", "areaDesc", 1, 1, text},
    {"area", "polygon", 0, 0, text},
    {"area", "circle", 0, 0, text},
    {"area", "geocode", 0, 0, compound},
    {"area", "altitude", 0, 1, text},
    {"area", "ceiling", 0, 1, text},
    {"geocode", "valueName", 1, 1, text},
    {"geocode", "value", 1, 1, text},
});

std::vector<std::string_view> words_of(std::string_view list) {
    std::vector<std::string_view> out;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(' '), list.size());
        out.push_back(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return out;
}

std::string quoted(std::string_view text) {
    constexpr std::size_t most = 40;
    std::string out = "\"";
    out += text.substr(0, most);
    while (!out.empty() && !is_utf8(out)) {
        out.pop_back();  // Half a character.
    }
    return out + (text.size() > most ? "…\"" : "\"");
}

refusal wrong(const xml_element& at, std::string_view sentence) {
    return cap_refusal("invalid_cap", at.line, at.name + " " + std::string(sentence));
}

std::string hint(std::string_view given, std::span<const std::string_view> known) {
    const std::string_view meant = nearest(given, known);
    return meant.empty() ? std::string() : "; did you mean " + std::string(meant) + "?";
}

parsed<> check_content(const xml_element& element, const rule& by) {
    const std::string_view value = trimmed(element.text);
    if (by.holds != compound && !element.children.empty()) {
        return wrong(element, "holds text, and no elements");
    }
    if (by.holds != compound && by.at_least != 0 && value.empty()) {
        return wrong(element, "is empty");
    }
    switch (by.holds) {
        case name:
            if (value.find_first_of(" \t\r\n,<&") != std::string_view::npos) {
                return wrong(element, quoted(value) + " must have no white space, comma, < or &");
            }
            return {};
        case date:
            if (!parse_rfc3339(value)) {
                return wrong(
                    element,
                    quoted(value) + " is no time as CAP writes it: 2026-11-23T06:00:00+01:00, zone included");
            }
            return {};
        case number: {
            std::uint64_t parsed_number = 0;
            const auto [end, problem] =
                std::from_chars(value.data(), value.data() + value.size(), parsed_number);
            if (problem != std::errc() || end != value.data() + value.size()) {
                return wrong(element, quoted(value) + " is no number");
            }
            return {};
        }
        case word: {
            const auto known = words_of(by.words);
            if (std::ranges::find(known, value) == known.end()) {
                return wrong(
                    element, quoted(value) + " is none of " + std::string(by.words) + hint(value, known));
            }
            return {};
        }
        case content::text:
        case compound: return {};
    }
    return {};
}

const rule* rule_for(std::string_view parent, std::string_view element) {
    const auto found = std::ranges::find_if(
        rules, [&](const rule& one) { return one.parent == parent && one.name == element; });
    return found == rules.end() ? nullptr : &*found;
}

parsed<> check_children(const xml_element& parent) {
    std::vector<std::string_view> known;
    for (const rule& one : rules) {
        if (one.parent == parent.name) {
            known.push_back(one.name);
        }
    }
    for (const xml_element& child : parent.children) {
        if (child.name_space != cap_namespace) {
            continue;
        }
        const rule* const by = rule_for(parent.name, child.name);
        if (by == nullptr) {
            return cap_refusal(
                "invalid_cap", child.line,
                parent.name + " has no element " + quoted(child.name) + hint(child.name, known));
        }
        const auto same =
            static_cast<std::size_t>(std::ranges::count_if(parent.children, [&](const xml_element& one) {
                return one.name == child.name && one.name_space == cap_namespace && &one <= &child;
            }));
        if (by->at_most != 0 && same > by->at_most) {
            return wrong(child, "stands twice in " + parent.name);
        }
        if (auto fine = check_content(child, *by); !fine) {
            return fine;
        }
        if (by->holds == compound) {
            if (auto fine = check_children(child); !fine) {
                return fine;
            }
        }
    }
    for (const rule& one : rules) {
        if (one.parent == parent.name && one.at_least != 0 &&
            std::ranges::none_of(parent.children, [&](const xml_element& child) {
                return child.name == one.name && child.name_space == cap_namespace;
            })) {
            return wrong(parent, "lacks its element " + std::string(one.name));
        }
    }
    return {};
}

}  // namespace

std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view space = " \t\r\n";
    const std::size_t first = text.find_first_not_of(space);
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(space) - first + 1);
}

refusal cap_refusal(std::string code, std::size_t line, std::string_view sentence) {
    return {std::move(code), "line " + std::to_string(line) + ": " + std::string(sentence)};
}

parsed<> check_cap_form(const xml_element& alert) {
    if (alert.name != "alert") {
        return cap_refusal(
            "not_cap", alert.line,
            "this is no CAP message: its outermost element is " + quoted(alert.name) + ", and not \"alert\"" +
                (alert.name == "feed" || alert.name == "rss"
                     ? ". It is a feed: take the messages that its entries link to"
                     : ""));
    }
    if (alert.name_space != cap_namespace) {
        return cap_refusal(
            "not_cap", alert.line,
            "this is no CAP 1.2 message: its namespace is " + quoted(alert.name_space) + ", and not \"" +
                std::string(cap_namespace) + "\"");
    }
    return check_children(alert);
}

}  // namespace tocsin
