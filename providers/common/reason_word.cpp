#include "providers/common/reason_word.hpp"

#include "engine/core/text.hpp"

namespace tocsin {

std::string_view reason_word(std::string_view word) noexcept {
    return !word.empty() && word.size() <= 64 && is_word(word, "_.-") ? word : std::string_view("Unknown");
}

}  // namespace tocsin
