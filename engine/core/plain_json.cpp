#include "engine/core/plain_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

namespace tocsin {
namespace {

namespace json = boost::json;

void write(const json::value& value, std::string& out);

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

void write_members(const json::object& object, std::string& out) {
    out += '{';
    std::string_view separator;
    for (const auto& member : object) {
        out += separator;
        out += json::serialize(json::string_view(member.key()));
        out += ':';
        write(member.value(), out);
        separator = ",";
    }
    out += '}';
}

void write_elements(const json::array& array, std::string& out) {
    out += '[';
    std::string_view separator;
    for (const json::value& element : array) {
        out += separator;
        write(element, out);
        separator = ",";
    }
    out += ']';
}

void write(const json::value& value, std::string& out) {
    switch (value.kind()) {
        case json::kind::object: write_members(value.get_object(), out); break;
        case json::kind::array: write_elements(value.get_array(), out); break;
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
    write(document, out);
    return out;
}

double shortened_share(double value) noexcept {
    if (!std::isfinite(value)) {
        return value;
    }
    constexpr double scale = 10'000;
    return std::round(value * scale) / scale;
}

}  // namespace tocsin
