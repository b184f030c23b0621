#pragma once

#include <string_view>

namespace tocsin {

/// Whether the body of an answer is a page for people, compressed ones included. No push service answers with
/// one on purpose: a proxy does, or a server that has never heard of pushes, whatever status it names.
[[nodiscard]] bool is_web_page(std::string_view body) noexcept;

/// verdict::reason of such an answer.
inline constexpr std::string_view web_page_word = "WebPage";

}  // namespace tocsin
