#include "providers/common/locale_table.hpp"

#include <algorithm>

namespace tocsin {
namespace {

char folded(char c) noexcept {
    if (c == '_') {
        return '-';
    }
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

void locale_table::add(std::string_view locale) {
    std::string name(locale);
    std::ranges::transform(name, name.begin(), folded);
    names_.push_back(std::move(name));
}

std::uint16_t locale_table::find(std::string_view locale) const noexcept {
    if (locale.empty()) {
        return 0;
    }
    const auto number_of = [this](std::string_view wanted) -> std::uint16_t {
        const auto found = std::ranges::find_if(names_, [wanted](const std::string& name) {
            return std::ranges::equal(name, wanted, {}, {}, folded);
        });
        return found == names_.end() ? std::uint16_t{0}
                                     : static_cast<std::uint16_t>(found - names_.begin() + 1);
    };
    if (const std::uint16_t exact = number_of(locale); exact != 0) {
        return exact;
    }
    return number_of(locale.substr(0, locale.find_first_of("-_")));
}

refusal payload_too_large(
    std::string_view what, const std::string& app, std::string_view locale, std::size_t size,
    std::size_t limit) {
    return {
        "payload_too_large", "the " + std::string(what) + " for app " + app +
                                 (locale.empty() ? "" : " in locale " + std::string(locale)) + " is " +
                                 std::to_string(size) + " bytes, the limit is " + std::to_string(limit)};
}

}  // namespace tocsin
