#include "engine/event/territory.hpp"

#include "engine/core/text.hpp"

#include <algorithm>
#include <array>

namespace tocsin {
namespace {

constexpr std::size_t code_size = 5;
constexpr std::string_view base36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) noexcept {
    return std::ranges::all_of(text, is_digit);
}

bool is_corsica(std::string_view prefix) noexcept {
    return prefix == "2A" || prefix == "2B";
}

std::array<char, code_size> spell(std::uint32_t number) noexcept {
    std::array<char, code_size> code{};
    for (std::size_t i = code_size; i-- > 0;) {
        code[i] = base36[number % base36.size()];
        number /= static_cast<std::uint32_t>(base36.size());
    }
    return code;
}

}  // namespace

std::optional<commune_id> parse_commune_id(std::string_view code) noexcept {
    if (code.size() != code_size || !all_digits(code.substr(2)) ||
        !(is_corsica(code.substr(0, 2)) || (all_digits(code.substr(0, 2)) && code.substr(0, 2) != "00"))) {
        return std::nullopt;
    }
    std::uint32_t number = 0;
    for (const char c : code) {
        const int digit = is_digit(c) ? c - '0' : c - 'A' + 10;
        number = number * 36 + static_cast<std::uint32_t>(digit);
    }
    return commune_id(number);
}

bool is_commune_id(std::uint32_t number) noexcept {
    const auto code = spell(number);
    const auto id = parse_commune_id({code.data(), code.size()});
    // Numbers past the last code lose their head when spelled, and come back smaller.
    return id && id->value() == number;
}

std::string to_string(commune_id id) {
    const auto code = spell(id.value());
    return {code.data(), code.size()};
}

std::optional<department_id> parse_department_id(std::string_view code) noexcept {
    const bool mainland =
        code.size() == 2 && all_digits(code) && code >= "01" && code <= "95" && code != "20";
    const bool overseas = code.size() == 3 && all_digits(code) &&
                          ((code >= "971" && code <= "978") || code.substr(0, 2) == "98");
    if (!mainland && !overseas && !is_corsica(code)) {
        return std::nullopt;
    }
    std::uint32_t packed = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        packed = packed << 8U | (i < code.size() ? static_cast<unsigned char>(code[i]) : 0U);
    }
    return department_id(packed);
}

std::string to_string(department_id id) {
    std::string code;
    for (const unsigned shift : {16U, 8U, 0U}) {
        if (const auto c = static_cast<char>(id.value() >> shift & 0xFFU); c != '\0') {
            code.push_back(c);
        }
    }
    return code;
}

std::optional<epci_id> parse_epci_id(std::string_view siren) noexcept {
    if (siren.size() != 9 || !all_digits(siren)) {
        return std::nullopt;
    }
    std::uint32_t number = 0;
    for (const char c : siren) {
        number = number * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return epci_id(number);
}

std::string to_string(epci_id id) {
    std::string digits = std::to_string(id.value());
    digits.insert(0, 9 - std::min<std::size_t>(9, digits.size()), '0');
    return digits;
}

bool is_zone_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= max_zone_name && is_word(name, "._-");
}

std::string to_string(const territory& where) {
    std::string out = to_string(where.commune);
    if (!where.zone.empty()) {
        out += ':';
        out += where.zone;
    }
    return out;
}

std::optional<territory> parse_territory(std::string_view text) {
    const auto commune = parse_commune_id(text.substr(0, code_size));
    if (!commune) {
        return std::nullopt;
    }
    text.remove_prefix(code_size);
    if (text.empty()) {
        return territory{.commune = *commune};
    }
    if (text.front() != ':' || !is_zone_name(text.substr(1))) {
        return std::nullopt;
    }
    return territory{.commune = *commune, .zone = std::string(text.substr(1))};
}

std::string selector_of(const territory& where) {
    return (where.zone.empty() ? "commune:" : "zone:") + to_string(where);
}

}  // namespace tocsin
