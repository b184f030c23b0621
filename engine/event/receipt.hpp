#pragma once

#include "engine/core/error.hpp"
#include "engine/event/territory.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

/// What an app says of a push, each more than the one before.
enum class receipt_kind : std::uint8_t { received, displayed, opened };
inline constexpr auto receipt_kind_names =
    std::to_array<std::string_view>({"received", "displayed", "opened"});
constexpr std::size_t receipt_kind_count = receipt_kind_names.size();
[[nodiscard]] constexpr std::string_view to_string(receipt_kind value) noexcept {
    return receipt_kind_names[static_cast<std::size_t>(value)];
}

constexpr std::size_t max_batch = 128;  ///< Characters.
constexpr std::uint32_t max_count = 1'000'000;

/// What a backend has been told by its apps and hands on: how many devices of which communes. It names no
/// device and no person.
struct receipt {
    std::string event;
    std::string app;
    receipt_kind kind = receipt_kind::received;
    std::string batch;  ///< A second receipt for the event under the same id counts nothing.
    std::vector<std::pair<commune_id, std::uint32_t>> counts;

    friend bool operator==(const receipt&, const receipt&) = default;
};

/// Reads one receipt document (docs/reference/receipts.md).
[[nodiscard]] parsed<receipt> parse_receipt(std::string_view json);

/// The shortest document that parse_receipt() reads back as `given`.
[[nodiscard]] std::string to_json(const receipt& given);

}  // namespace tocsin
