#include "engine/ops/config_keys.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <system_error>

#include <fmt/format.h>

namespace tocsin {
namespace {

struct duration_unit {
    std::string_view name;
    std::uint64_t milliseconds;
};

// From the largest, so that a duration is written in the largest unit that divides it.
constexpr auto units = std::to_array<duration_unit>(
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}});

std::optional<std::uint64_t> parse_count(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::string duration_text(std::uint64_t milliseconds) {
    const auto unit = milliseconds == 0 ? std::ranges::find(units, "s", &duration_unit::name)
                                        : std::ranges::find_if(units, [&](const duration_unit& each) {
                                              return milliseconds % each.milliseconds == 0;
                                          });
    return fmt::format("{}{}", milliseconds / unit->milliseconds, unit->name);
}

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out.push_back('\\');
        }
        out.push_back(c);
    }
    out.push_back('"');
    return out;
}

std::string choices_text(std::span<const std::string_view> choices) {
    std::string out;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        const std::string_view between = i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ";
        fmt::format_to(std::back_inserter(out), "{}\"{}\"", between, choices[i]);
    }
    return out;
}

refusal out_of_range(const config_key& key, std::string_view least, std::string_view most) {
    if (key.most == std::numeric_limits<std::int64_t>::max()) {
        return {"range", fmt::format("must be at least {}", least)};
    }
    return {"range", fmt::format("must be from {} to {}", least, most)};
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::optional<std::uint64_t> amount = parse_count(text.substr(0, digits));
    const std::string_view suffix = digits == text.size() ? "s" : text.substr(digits);
    const auto unit = std::ranges::find(units, suffix, &duration_unit::name);
    constexpr auto most = static_cast<std::uint64_t>(std::chrono::milliseconds::max().count());
    if (!amount || unit == units.end() || *amount > most / unit->milliseconds) {
        return std::nullopt;
    }
    return std::chrono::milliseconds(*amount * unit->milliseconds);
}

std::string expected_text(const config_key& key) {
    switch (key.kind) {
        case config_kind::text:
            return key.choices.empty() ? "must be a text in quotes" : "must be " + choices_text(key.choices);
        case config_kind::path: return "must be the path of a file, in quotes";
        case config_kind::count: return "must be a whole number, 0 or more";
        case config_kind::interval:
            return "must be a duration such as \"25s\", \"500ms\", \"30m\", \"4h\" or \"1d\"";
        case config_kind::list: return "must be a list of texts, such as [\"21231\", \"21054\"]";
    }
    return "";
}

parsed<config_value> check_config_value(const config_key& key, config_value value) {
    if (const auto* const text = std::get_if<std::string>(&value); text != nullptr && !key.choices.empty()) {
        if (std::ranges::find(key.choices, *text) == key.choices.end()) {
            return refusal{"choice", expected_text(key) + ", not \"" + *text + "\""};
        }
    }
    if (const auto* const count = std::get_if<std::uint64_t>(&value)) {
        if (*count < key.least || *count > key.most) {
            return out_of_range(key, std::to_string(key.least), std::to_string(key.most));
        }
    }
    if (const auto* const time = std::get_if<std::chrono::milliseconds>(&value)) {
        const auto amount = static_cast<std::uint64_t>(time->count());
        if (amount < key.least || amount > key.most) {
            return out_of_range(key, duration_text(key.least), duration_text(key.most));
        }
    }
    return value;
}

parsed<config_value> parse_config_value(const config_key& key, std::string_view text) {
    const auto refused = [&] {
        return refusal{"type", expected_text(key) + ", not \"" + std::string(text) + "\""};
    };
    switch (key.kind) {
        case config_kind::text:
        case config_kind::path: return check_config_value(key, std::string(text));
        case config_kind::count: {
            const auto value = parse_count(text);
            return value ? check_config_value(key, *value) : refused();
        }
        case config_kind::interval: {
            const auto value = parse_duration(text);
            return value ? check_config_value(key, *value) : refused();
        }
        case config_kind::list: {
            std::vector<std::string> values;
            while (!text.empty()) {
                const std::size_t end = std::min(text.find(','), text.size());
                values.emplace_back(text.substr(0, end));
                text.remove_prefix(std::min(end + 1, text.size()));
            }
            return check_config_value(key, std::move(values));
        }
    }
    return refused();
}

std::string to_toml(const config_value& value) {
    if (const auto* const text = std::get_if<std::string>(&value)) {
        return in_quotes(*text);
    }
    if (const auto* const count = std::get_if<std::uint64_t>(&value)) {
        return std::to_string(*count);
    }
    if (const auto* const time = std::get_if<std::chrono::milliseconds>(&value)) {
        return in_quotes(duration_text(static_cast<std::uint64_t>(time->count())));
    }
    std::string out = "[";
    for (const std::string& each : std::get<std::vector<std::string>>(value)) {
        out += (out.size() == 1 ? "" : ", ") + in_quotes(each);
    }
    return out + "]";
}

}  // namespace tocsin
