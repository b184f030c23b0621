#pragma once

#include <string_view>

namespace tocsin {

/// `word` if it can stand as a reason (1 to 64 characters of A-Z a-z 0-9 _ . -), else "Unknown":
/// what a peer says must not break a log line or a metric.
[[nodiscard]] std::string_view reason_word(std::string_view word) noexcept;

}  // namespace tocsin
