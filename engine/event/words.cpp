#include "engine/event/words.hpp"

#include "engine/core/text.hpp"
#include "engine/event/json_document.hpp"
#include "engine/event/refusal_codes.hpp"

#include <algorithm>
#include <string>

namespace tocsin {
namespace {

constexpr std::size_t longest_word = 64;

refusal wrong_length(std::string_view word, refusal_code code, std::string_view path) {
    return refuse(code, std::string(path) + " must have 1 to 64 bytes, not " + std::to_string(word.size()));
}

}  // namespace

parsed<> check_app(std::string_view app, std::string_view path) {
    if (app.empty() || app.size() > longest_word) {
        return wrong_length(app, refusal_code::invalid_app, path);
    }
    if (!is_word(app, "._-")) {
        return refuse(
            refusal_code::invalid_app,
            std::string(path) + " must be made of A-Z a-z 0-9 . _ -, not " + in_quotes(app));
    }
    return {};
}

parsed<> check_category(std::string_view category, std::string_view path) {
    if (category.empty() || category.size() > longest_word) {
        return wrong_length(category, refusal_code::invalid_category, path);
    }
    const bool word = std::ranges::all_of(category, [](char c) {
        return static_cast<unsigned char>(c) >= 0x80 || is_word({&c, 1}, "._-");
    });
    if (!word) {
        return refuse(
            refusal_code::invalid_category,
            std::string(path) + " must be one word of letters, digits and . _ -, not " + in_quotes(category));
    }
    return {};
}

}  // namespace tocsin
