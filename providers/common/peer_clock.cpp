#include "providers/common/peer_clock.hpp"

#include "providers/common/http_date.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

// A date is told to the second.
constexpr auto too_slow_to_compare = 2s;
constexpr auto clocks_apart = 5s;
// Less, so that a difference on the edge is not told each time that it is a second more.
constexpr auto clocks_agree = 3s;

}  // namespace

std::optional<std::chrono::seconds> clock_ahead(
    std::string_view date, duration round_trip, wall_time now) noexcept {
    const auto theirs = round_trip <= too_slow_to_compare ? parse_http_date(date) : std::nullopt;
    return theirs ? std::optional(std::chrono::floor<std::chrono::seconds>(now - *theirs)) : std::nullopt;
}

bool are_apart(std::optional<std::chrono::seconds> ahead) noexcept {
    return ahead && std::chrono::abs(*ahead) > clocks_apart;
}

void peer_clock::compare(std::optional<std::chrono::seconds> ahead, std::string_view peer, logger& log) {
    if (!ahead) {
        return;
    }
    if (std::chrono::abs(*ahead) <= clocks_agree) {
        told_.store(false, std::memory_order_relaxed);
    } else if (are_apart(ahead) && !told_.exchange(true, std::memory_order_relaxed)) {
        log.warning(
            "clock.differs",
            {{"seconds_ahead_of_provider", ahead->count()},
             {"provider", peer},
             {"advice",
              "If other hosts say the same, this one's clock is wrong, and what is signed here is "
              "refused as too old, or as from the future: check NTP."}});
    }
}

}  // namespace tocsin
