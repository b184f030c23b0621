#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace tocsin {

/// Lets a hash map whose keys are strings be asked with a string_view: no string is made for it.
struct text_hash {
    using is_transparent = void;
    [[nodiscard]] std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>{}(text);
    }
};

}  // namespace tocsin
