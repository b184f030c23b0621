#include "tests/engine/event/json_schema.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <regex>
#include <string_view>

namespace tocsin::testing {
namespace {

namespace json = boost::json;

constexpr auto known_keywords = std::to_array<std::string_view>(
    {"$schema",       "$id",       "$defs",     "$ref",          "title",        "description",
     "default",       "type",      "enum",      "const",         "properties",   "required",
     "items",         "minItems",  "maxItems",  "minimum",       "maximum",      "additionalProperties",
     "propertyNames", "minLength", "maxLength", "pattern",       "anyOf",        "oneOf",
     "not",           "if",        "then",      "minProperties", "maxProperties"});

std::string text(const json::string& from) {
    return {from.data(), from.size()};
}

bool has_type(const json::value& value, std::string_view type) {
    return (type == "null" && value.is_null()) || (type == "boolean" && value.is_bool()) ||
           (type == "integer" && (value.is_int64() || value.is_uint64())) ||
           (type == "number" && value.is_number()) || (type == "string" && value.is_string()) ||
           (type == "array" && value.is_array()) || (type == "object" && value.is_object());
}

std::size_t characters(std::string_view bytes) {
    return static_cast<std::size_t>(std::ranges::count_if(
        bytes, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

class validator {
public:
    explicit validator(const json::value& root) : root_(root) {}

    std::string check(const json::value& schema, const json::value& value, const std::string& path) const {
        if (schema.is_bool()) {
            return schema.get_bool() ? "" : path + ": nothing is allowed here";
        }
        const json::object& rules = schema.as_object();
        for (const auto& member : rules) {
            if (std::ranges::find(known_keywords, std::string_view(member.key())) == known_keywords.end()) {
                return path + ": unknown keyword " + std::string(member.key());
            }
        }
        for (const auto step :
             {&validator::check_value, &validator::check_text, &validator::check_number,
              &validator::check_array, &validator::check_object, &validator::check_combined}) {
            if (std::string error = (this->*step)(rules, value, path); !error.empty()) {
                return error;
            }
        }
        return {};
    }

private:
    std::string check_value(
        const json::object& rules, const json::value& value, const std::string& path) const {
        if (const auto* type = rules.if_contains("type")) {
            const json::array types = type->is_array() ? type->get_array() : json::array{*type};
            if (std::ranges::none_of(
                    types, [&](const json::value& one) { return has_type(value, text(one.as_string())); })) {
                return path + ": not of type " + json::serialize(*type);
            }
        }
        if (const auto* allowed = rules.if_contains("enum")) {
            if (std::ranges::find(allowed->as_array(), value) == allowed->as_array().end()) {
                return path + ": none of " + json::serialize(*allowed);
            }
        }
        if (const auto* only = rules.if_contains("const"); only != nullptr && *only != value) {
            return path + ": not " + json::serialize(*only);
        }
        return {};
    }

    std::string check_text(
        const json::object& rules, const json::value& value, const std::string& path) const {
        if (!value.is_string()) {
            return {};
        }
        const std::string given = text(value.get_string());
        if (const auto* least = rules.if_contains("minLength");
            least != nullptr && characters(given) < size(*least)) {
            return path + ": too short";
        }
        if (const auto* most = rules.if_contains("maxLength");
            most != nullptr && characters(given) > size(*most)) {
            return path + ": too long";
        }
        if (const auto* pattern = rules.if_contains("pattern");
            pattern != nullptr && !std::regex_search(given, std::regex(text(pattern->as_string())))) {
            return path + ": does not match " + text(pattern->as_string());
        }
        return {};
    }

    std::string check_number(
        const json::object& rules, const json::value& value, const std::string& path) const {
        if (!value.is_number()) {
            return {};
        }
        const auto number = value.to_number<double>();
        if (const auto* least = rules.if_contains("minimum");
            least != nullptr && number < least->to_number<double>()) {
            return path + ": too small";
        }
        if (const auto* most = rules.if_contains("maximum");
            most != nullptr && number > most->to_number<double>()) {
            return path + ": too large";
        }
        return {};
    }

    std::string check_array(
        const json::object& rules, const json::value& value, const std::string& path) const {
        const auto* array = value.if_array();
        if (array == nullptr) {
            return {};
        }
        if (const auto* least = rules.if_contains("minItems");
            least != nullptr && array->size() < size(*least)) {
            return path + ": too few items";
        }
        if (const auto* most = rules.if_contains("maxItems");
            most != nullptr && array->size() > size(*most)) {
            return path + ": too many items";
        }
        if (const auto* items = rules.if_contains("items")) {
            for (const json::value& item : *array) {
                if (std::string error = check(*items, item, path + "[]"); !error.empty()) {
                    return error;
                }
            }
        }
        return {};
    }

    std::string check_object(
        const json::object& rules, const json::value& value, const std::string& path) const {
        const auto* object = value.if_object();
        if (object == nullptr) {
            return {};
        }
        if (const auto* required = rules.if_contains("required")) {
            for (const json::value& name : required->as_array()) {
                if (!object->contains(name.as_string())) {
                    return path + ": " + text(name.as_string()) + " is missing";
                }
            }
        }
        if (const auto* least = rules.if_contains("minProperties");
            least != nullptr && object->size() < size(*least)) {
            return path + ": too few members";
        }
        if (const auto* most = rules.if_contains("maxProperties");
            most != nullptr && object->size() > size(*most)) {
            return path + ": too many members";
        }
        const auto* names = rules.if_contains("propertyNames");
        const auto* properties = rules.if_contains("properties");
        const auto* rest = rules.if_contains("additionalProperties");
        for (const auto& member : *object) {
            const std::string at = path + "." + std::string(member.key());
            if (names != nullptr) {
                if (std::string error = check(*names, json::value(member.key()), at); !error.empty()) {
                    return error;
                }
            }
            const auto* rule =
                properties == nullptr ? nullptr : properties->as_object().if_contains(member.key());
            if (rule == nullptr) {
                rule = rest;
            }
            if (rule != nullptr) {
                if (std::string error = check(*rule, member.value(), at); !error.empty()) {
                    return error;
                }
            }
        }
        return {};
    }

    std::string check_combined(
        const json::object& rules, const json::value& value, const std::string& path) const {
        const auto matches = [&](const json::value& schema) { return check(schema, value, path).empty(); };
        if (const auto* ref = rules.if_contains("$ref")) {
            const std::string name = text(ref->as_string()).substr(std::string_view("#/$defs/").size());
            if (std::string error = check(root_.at("$defs").at(name), value, path); !error.empty()) {
                return error;
            }
        }
        if (const auto* any = rules.if_contains("anyOf");
            any != nullptr && std::ranges::none_of(any->as_array(), matches)) {
            return path + ": none of anyOf";
        }
        if (const auto* one = rules.if_contains("oneOf");
            one != nullptr && std::ranges::count_if(one->as_array(), matches) != 1) {
            return path + ": not one of oneOf";
        }
        if (const auto* none = rules.if_contains("not"); none != nullptr && matches(*none)) {
            return path + ": not allowed";
        }
        if (const auto* condition = rules.if_contains("if"); condition != nullptr && matches(*condition)) {
            return check(rules.at("then"), value, path);
        }
        return {};
    }

    static std::size_t size(const json::value& number) { return static_cast<std::size_t>(number.as_int64()); }

    const json::value& root_;
};

}  // namespace

std::string schema_error(const json::value& schema, const json::value& value) {
    return validator(schema).check(schema, value, "$");
}

}  // namespace tocsin::testing
