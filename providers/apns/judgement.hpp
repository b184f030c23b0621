#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/verdict.hpp"
#include "providers/apns/reasons.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace tocsin::apns {

/// What APNs said.
struct answer {
    int status = 0;
    std::string_view body;
    std::string_view retry_after;
    std::string_view apns_id;
};

/// An answer and what it means. Holds what the verdict's views point at, so it stays where it is
/// until the verdict is settled.
class judgement {
public:
    /// `attempts` are the charged tries before this one: what is throttled waits longer each time.
    judgement(const answer& given, std::uint32_t attempts, wall_time now) noexcept;
    judgement(const judgement&) = delete;
    judgement& operator=(const judgement&) = delete;

    [[nodiscard]] const verdict& what() const noexcept { return what_; }
    [[nodiscard]] verdict& what() noexcept { return what_; }
    [[nodiscard]] const reason_row& row() const noexcept { return *row_; }

private:
    verdict what_;
    const reason_row* row_;
    std::array<char, 64> word_{};
};

}  // namespace tocsin::apns
