#include "engine/event/locale.hpp"

#include "engine/core/text.hpp"
#include "engine/event/json_document.hpp"
#include "engine/event/refusal_codes.hpp"

#include <algorithm>

namespace tocsin {
namespace {

constexpr std::size_t longest_tag = 35;

bool is_letter(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

char upper(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

/// The case that RFC 5646, section 2.1.1, recommends: regions "FR", scripts "Latn", the rest lower.
std::string spell_subtag(std::string_view subtag, bool first, bool after_singleton) {
    std::string out(subtag);
    std::ranges::transform(out, out.begin(), lower);
    if (first || after_singleton) {
        return out;
    }
    if (out.size() == 2) {
        std::ranges::transform(out, out.begin(), upper);
    } else if (out.size() == 4 && std::ranges::all_of(out, is_letter)) {
        out.front() = upper(out.front());
    }
    return out;
}

}  // namespace

parsed<std::string> normalize_locale(std::string_view tag, std::string_view path) {
    const auto malformed = [&](std::string_view why) {
        return refuse(
            refusal_code::invalid_locale, std::string(path) +
                                              " must be a language tag such as \"fr\" or \"pt-BR\", not " +
                                              in_quotes(tag) + ": " + std::string(why));
    };
    if (tag.size() > longest_tag) {
        return malformed("it has more than 35 characters");
    }
    std::string out;
    bool after_singleton = false;
    for (std::size_t at = 0; at <= tag.size();) {
        const std::size_t end = std::min(tag.find_first_of("-_", at), tag.size());
        const std::string_view subtag = tag.substr(at, end - at);
        const bool first = at == 0;
        if (first && (subtag.size() < 2 || subtag.size() > 3 || !std::ranges::all_of(subtag, is_letter))) {
            return malformed("a language has two or three letters");
        }
        if (subtag.empty() || subtag.size() > 8 || !is_word(subtag, "")) {
            return malformed("a subtag has one to eight letters or digits");
        }
        out += first ? "" : "-";
        out += spell_subtag(subtag, first, after_singleton);
        after_singleton = after_singleton || subtag.size() == 1;
        at = end + 1;
    }
    return out;
}

}  // namespace tocsin
