#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/verdict.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// What push services answer: RFC 8030 for the numbers, and the words of Apple (`reason`) and Mozilla
// (`errno`).

namespace tocsin::webpush {

/// One answer, or a range of them that mean the same.
struct answer_row {
    std::uint16_t first;
    std::uint16_t last;
    std::string_view said;  ///< Apple's reason or Mozilla's errno; empty: whatever it is.
    std::string_view word;  ///< What verdict::reason says; empty: nothing.
    reaction action;
    std::string_view meaning;
    std::string_view remedy;
};

/// First match counts.
[[nodiscard]] std::span<const answer_row> answer_table() noexcept;

/// Never fails: the last row is for everything.
[[nodiscard]] const answer_row& find_answer(std::uint16_t status, std::string_view said) noexcept;

/// What a service said.
struct answer {
    int status = 0;
    std::string_view body;
    std::string_view retry_after;
};

/// An answer and what it means. Holds what the verdict's views point at, so it stays where it is until the
/// verdict is settled.
class judgement {
public:
    judgement(const answer& given, wall_time now) noexcept;
    judgement(const judgement&) = delete;
    judgement& operator=(const judgement&) = delete;

    [[nodiscard]] verdict& what() noexcept { return what_; }
    [[nodiscard]] const answer_row& row() const noexcept { return *row_; }

private:
    verdict what_;
    const answer_row* row_ = nullptr;
    std::array<char, 64> word_{};
};

// Words of our own for pushes that no service was asked about.
inline constexpr std::string_view address_not_allowed = "AddressNotAllowed";
inline constexpr std::string_view service_not_allowed = "ServiceNotAllowed";
inline constexpr std::string_view unknown_host = "UnknownHost";
inline constexpr std::string_view service_unreachable = "ServiceUnreachable";
inline constexpr std::string_view service_left_alone = "ServiceLeftAlone";
inline constexpr std::string_view service_busy = "ServiceBusy";
inline constexpr std::string_view damaged_keys = "DamagedKeys";

/// The same words.
[[nodiscard]] std::span<const std::string_view> own_reasons() noexcept;

/// What the answer means and what to do, for people.
[[nodiscard]] std::string explain(std::uint16_t status, std::string_view reason);

}  // namespace tocsin::webpush
