#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/verdict.hpp"
#include "providers/fcm/causes.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace tocsin::fcm {

/// What FCM said.
struct answer {
    int status = 0;
    std::string_view body;
    std::string_view retry_after;
};

/// An answer and what it means. Holds what the verdict's views point at, so it stays where it is
/// until the verdict is settled.
class judgement {
public:
    judgement(
        const answer& given, const surroundings& around, std::uint32_t attempts, wall_time now) noexcept;
    judgement(const judgement&) = delete;
    judgement& operator=(const judgement&) = delete;

    [[nodiscard]] const verdict& what() const noexcept { return what_; }
    [[nodiscard]] verdict& what() noexcept { return what_; }
    [[nodiscard]] cause why() const noexcept { return why_; }
    /// The beginning of FCM's own sentence, printable, for the log; empty if there was none.
    [[nodiscard]] std::string_view sentence() const noexcept { return {sentence_.data(), sentence_size_}; }

private:
    verdict what_;
    cause why_ = cause::unknown;
    std::array<char, 64> word_{};
    std::array<char, 200> sentence_{};
    std::size_t sentence_size_ = 0;
};

/// The id of an accepted message ("projects/…/messages/…"): the value of "name", without a parser
/// and without memory, because every success passes here. Empty if it is not where FCM puts it.
[[nodiscard]] std::string_view message_name(std::string_view body) noexcept;

}  // namespace tocsin::fcm
