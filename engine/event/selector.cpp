#include "engine/event/selector.hpp"

#include "engine/core/log.hpp"
#include "engine/event/json_document.hpp"
#include "engine/event/refusal_codes.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tocsin {
namespace {

constexpr auto kinds =
    std::to_array<std::string_view>({"commune", "epci", "department", "zone", "everyone", "device"});
constexpr std::string_view some_platform = platform_names[1];  // For an example.

/// What stands before the first colon, and what behind it.
std::pair<std::string_view, std::string_view> split(std::string_view text) noexcept {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        return {text, {}};
    }
    return {text.substr(0, colon), text.substr(colon + 1)};
}

std::string said(std::string_view path, std::string_view text) {
    std::string out(path);
    out += ": ";
    out += text;
    return out;
}

/// What may be shown of a word where a token could have been written by mistake.
std::string shown(std::string_view word) {
    const bool ascii = std::ranges::all_of(word, [](char c) { return c >= ' ' && c <= '~'; });
    return word.size() > 24 && ascii ? in_quotes(shorten_token(word)) : in_quotes(word, 24);
}

/// Codes of INSEE and of the departments' customs that are neither a commune's nor a department's. Empty if
/// `code` is none of them.
std::string_view odd_code(std::string_view code) noexcept {
    if (code == "69M" || code == "69m") {
        return " is the Métropole de Lyon: an event names it as \"epci:200046977\", and a device follows its "
               "communes, as in \"commune:69123\"";
    }
    if (code == "69D" || code == "69d") {
        return " is what is left of the Rhône without the Métropole de Lyon: an event names both as "
               "\"department:69\", and a device follows its communes, as in \"commune:69264\"";
    }
    return {};
}

parsed<std::string> read_commune(std::string_view code, std::string_view path) {
    if (parse_commune_id(code)) {
        return std::string(code);
    }
    if (const std::string_view odd = odd_code(code); !odd.empty()) {
        return refuse(refusal_code::invalid_commune, said(path, in_quotes(code)).append(odd));
    }
    if (code.size() != 5) {
        return refuse(
            refusal_code::invalid_commune,
            said(path, "a commune is its INSEE code of 5 characters, as in \"commune:21231\", not ") +
                in_quotes(code));
    }
    std::string upper(code);
    std::ranges::replace(upper, 'a', 'A');
    std::ranges::replace(upper, 'b', 'B');
    if (parse_commune_id(upper)) {
        return refuse(
            refusal_code::invalid_commune,
            said(path, "write the INSEE code ") + in_quotes(code) + " in upper case, \"" + upper + "\"");
    }
    return refuse(
        refusal_code::invalid_commune,
        said(path, in_quotes(code)) + " is not an INSEE code: two digits (or 2A, 2B) and three digits");
}

parsed<std::string> read_epci(std::string_view siren, std::string_view path) {
    if (parse_epci_id(siren)) {
        return std::string(siren);
    }
    if (const std::string_view odd = odd_code(siren); !odd.empty()) {
        return refuse(refusal_code::invalid_epci, said(path, in_quotes(siren)).append(odd));
    }
    return refuse(
        refusal_code::invalid_epci,
        said(path, "an EPCI is its SIREN number of 9 digits, as in \"epci:242100410\", not ") +
            in_quotes(siren));
}

parsed<std::string> read_department(std::string_view code, std::string_view path) {
    if (parse_department_id(code)) {
        return std::string(code);
    }
    if (const std::string_view odd = odd_code(code); !odd.empty()) {
        return refuse(refusal_code::invalid_department, said(path, in_quotes(code)).append(odd));
    }
    std::string message =
        said(path, in_quotes(code)) + " is not a department: 01 to 95, 2A, 2B, 971 to 978 or 98x";
    if (code == "20") {
        message += "; Corsica is \"2A\" and \"2B\"";
    } else if (code == "2a" || code == "2b") {
        message += "; write it in upper case";
    } else if (code.size() == 1 && code >= "1" && code <= "9") {
        message += "; write it with two digits";
    }
    return refuse(refusal_code::invalid_department, std::move(message));
}

parsed<std::string> read_zone(std::string_view value, std::string_view path) {
    if (value.find(':') == std::string_view::npos) {
        return refuse(
            refusal_code::invalid_zone,
            said(path, "a zone is its commune and its name, as in \"zone:21231:centre\", not ") +
                in_quotes(value));
    }
    const auto [commune, name] = split(value);
    if (auto code = read_commune(commune, path); !code) {
        return code;
    }
    if (name.empty() || name.size() > max_zone_name) {
        return refuse(
            refusal_code::invalid_zone,
            said(path, "the name of a zone has 1 to 64 characters, not ") + std::to_string(name.size()));
    }
    if (!is_zone_name(name)) {
        return refuse(
            refusal_code::invalid_zone,
            said(path, "the name of a zone is made of A-Z a-z 0-9 . _ -, not ") + in_quotes(name));
    }
    return std::string(value);
}

parsed<selector> read_device(platform_set platforms, std::string_view value, std::string_view path) {
    if (value.find(':') == std::string_view::npos) {
        return refuse(
            refusal_code::malformed_selector,
            said(
                path, "a device is its platform and token, as in \"device:" + std::string(some_platform) +
                          ":<token>\""));
    }
    const auto [name, token] = split(value);
    const auto kind = parse_platform(name);
    if (!kind) {
        return refuse(
            refusal_code::invalid_platform, said(path, "no platform ") + shown(name) + ": " +
                                                list_platforms("or") + suggestion(name, platform_names));
    }
    const platform_traits& traits = platforms[*kind];
    if (auto fine = traits.check_token(token, path); !fine) {
        return std::move(fine).error();
    }
    return selector{
        .kind = selector_kind::device,
        .value = traits.written_token(traits.stored_token(token)),
        .device = *kind};
}

refusal unknown_kind(std::string_view text, std::string_view kind, std::string_view path) {
    if (kind.size() == text.size() && parse_commune_id(text)) {
        return refuse(
            refusal_code::malformed_selector,
            said(path, "a selector names its kind: write \"commune:" + std::string(text) + "\""));
    }
    return refuse(
        refusal_code::unknown_selector, said(path, "no selector of kind ") + shown(kind) +
                                            ": commune, epci, department, zone, everyone or device" +
                                            suggestion(kind, kinds));
}

}  // namespace

parsed<selector> parse_selector(platform_set platforms, std::string_view text, std::string_view path) {
    if (text.empty()) {
        return refuse(refusal_code::malformed_selector, said(path, "the selector is empty"));
    }
    const auto [name, value] = split(text);
    const auto kind = parse_selector_kind(name);
    if (!kind) {
        return unknown_kind(text, name, path);
    }
    const bool bare = name.size() == text.size();
    if (*kind == selector_kind::everyone) {
        if (!bare) {
            return refuse(
                refusal_code::malformed_selector, said(path, "\"everyone\" stands alone, without a value"));
        }
        return selector{};
    }
    if (bare || value.empty()) {
        return refuse(
            refusal_code::malformed_selector,
            said(path, "\"" + std::string(name) + "\" needs a value, as in \"" + std::string(name) + ":…\""));
    }
    parsed<std::string> checked = std::string();
    switch (*kind) {
        case selector_kind::commune: checked = read_commune(value, path); break;
        case selector_kind::epci: checked = read_epci(value, path); break;
        case selector_kind::department: checked = read_department(value, path); break;
        case selector_kind::zone: checked = read_zone(value, path); break;
        case selector_kind::device: return read_device(platforms, value, path);
        case selector_kind::everyone: break;
    }
    if (!checked) {
        return std::move(checked).error();
    }
    return selector{.kind = *kind, .value = std::move(*checked)};
}

std::string to_string(const selector& one) {
    std::string out(to_string(one.kind));
    if (one.kind == selector_kind::device) {
        out += ':';
        out += to_string(one.device);
    }
    if (one.kind != selector_kind::everyone) {
        out += ':';
        out += one.value;
    }
    return out;
}

territory zone_of(const selector& zone) {
    return parse_territory(zone.value).value_or(territory{});
}

parsed<territory> parse_followed(platform_set platforms, std::string_view text, std::string_view path) {
    auto one = parse_selector(platforms, text, path);
    if (!one) {
        return std::move(one).error();
    }
    switch (one->kind) {
        case selector_kind::commune: return parse_territory(one->value).value_or(territory{});
        case selector_kind::zone: return zone_of(*one);
        case selector_kind::epci:
        case selector_kind::department:
        case selector_kind::everyone:
        case selector_kind::device: break;
    }
    return refuse(
        refusal_code::cannot_follow,
        said(path, "a device follows communes and zones, not \"") + std::string(to_string(one->kind)) + "\"");
}

}  // namespace tocsin
