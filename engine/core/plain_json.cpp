#include "engine/core/plain_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace tocsin {
namespace {

namespace json = boost::json;

enum class order : std::uint8_t { as_written, by_name };

void write(const json::value& value, order members, std::string& out);

void write_number(double number, std::string& out) {
    if (!std::isfinite(number)) {
        out += "null";  // JSON has no word for it.
        return;
    }
    // The longest: a sign, every digit before or behind the point, the point.
    std::array<
        char, 3 + std::numeric_limits<double>::max_exponent10 + 2 * std::numeric_limits<double>::digits>
        digits{};
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::fixed).ptr;
    out.append(digits.data(), end);
}

void write_members(const json::object& object, order members, std::string& out) {
    std::vector<const json::key_value_pair*> listed;
    for (const auto& member : object) {
        listed.push_back(&member);
    }
    if (members == order::by_name) {
        std::ranges::sort(listed, {}, [](const auto* member) { return std::string_view(member->key()); });
    }
    out += '{';
    std::string_view separator;
    for (const auto* const member : listed) {
        out += separator;
        out += json::serialize(json::string_view(member->key()));
        out += ':';
        write(member->value(), members, out);
        separator = ",";
    }
    out += '}';
}

void write_elements(const json::array& array, order members, std::string& out) {
    out += '[';
    std::string_view separator;
    for (const json::value& element : array) {
        out += separator;
        write(element, members, out);
        separator = ",";
    }
    out += ']';
}

void write(const json::value& value, order members, std::string& out) {
    switch (value.kind()) {
        case json::kind::object: write_members(value.get_object(), members, out); break;
        case json::kind::array: write_elements(value.get_array(), members, out); break;
        case json::kind::double_: write_number(value.get_double(), out); break;
        case json::kind::null:
        case json::kind::bool_:
        case json::kind::int64:
        case json::kind::uint64:
        case json::kind::string: out += json::serialize(value); break;
    }
}

}  // namespace

std::string plain_json(const boost::json::value& document) {
    std::string out;
    write(document, order::as_written, out);
    return out;
}

std::string canonical_json(const boost::json::value& document) {
    std::string out;
    write(document, order::by_name, out);
    return out;
}

double shortened_share(double value) noexcept {
    if (!std::isfinite(value)) {
        return value;
    }
    constexpr double scale = 10'000;
    return std::round(value * scale) / scale;
}

double rounded_share(double value) noexcept {
    if (!std::isfinite(value) || value == 0) {
        return value;
    }
    constexpr double digits = 7;
    const double scale = std::pow(10.0, digits - std::ceil(std::log10(std::abs(value))));
    return std::round(value * scale) / scale;
}

}  // namespace tocsin
