#include "engine/core/json_members.hpp"

#include "engine/core/error.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace tocsin {
namespace {

namespace json = boost::json;

template <class Number>
std::optional<Number> number_at(const json::object& from, std::string_view name) noexcept {
    const json::value* const found = from.if_contains(name);
    error_code ec;
    const Number value = found == nullptr ? 0 : found->to_number<Number>(ec);
    return found == nullptr || ec ? std::nullopt : std::optional(value);
}

}  // namespace

std::optional<json::object> parse_object(std::string_view text) {
    error_code ec;
    json::value document = json::parse(text, ec);
    return document.is_object() ? std::optional(std::move(document.get_object())) : std::nullopt;
}

std::string_view text_at(const json::object& from, std::string_view name) noexcept {
    const json::value* const found = from.if_contains(name);
    const json::string* const text = found == nullptr ? nullptr : found->if_string();
    return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::optional<std::int64_t> integer_at(const json::object& from, std::string_view name) noexcept {
    return number_at<std::int64_t>(from, name);
}

std::optional<std::uint64_t> count_at(const json::object& from, std::string_view name) noexcept {
    return number_at<std::uint64_t>(from, name);
}

const json::array& list_at(const json::object& from, std::string_view name) noexcept {
    static const json::array none;
    const json::value* const found = from.if_contains(name);
    return found != nullptr && found->is_array() ? found->get_array() : none;
}

const json::object& part_at(const json::object& from, std::string_view name) noexcept {
    static const json::object none;
    const json::value* const found = from.if_contains(name);
    return found != nullptr && found->is_object() ? found->get_object() : none;
}

}  // namespace tocsin
