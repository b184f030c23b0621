#pragma once

#include "engine/delivery/verdict.hpp"
#include "providers/http2/client.hpp"

#include <span>
#include <string_view>

namespace tocsin {

/// What it means for a push that its request was never answered, which is not the provider's to say.
[[nodiscard]] verdict no_answer(const http2::failed_request& failed) noexcept;

/// The reasons that it gives.
[[nodiscard]] std::span<const std::string_view> no_answer_reasons() noexcept;

/// What the reason of such a verdict means, for people.
[[nodiscard]] std::string_view explain_no_answer(std::string_view reason) noexcept;

}  // namespace tocsin
