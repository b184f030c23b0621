#include "providers/apns/judgement.hpp"

#include "engine/core/json_members.hpp"
#include "providers/common/bounded_json.hpp"
#include "providers/common/reason_word.hpp"
#include "providers/common/retry_after.hpp"
#include "providers/common/web_page.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace tocsin::apns {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds first_device_pause = 60s;
constexpr milliseconds longest_device_pause = 16min;
// Twice as long each time, so that five tries outlast an outage of some minutes.
constexpr milliseconds first_outage_pause = 1min;
constexpr milliseconds longest_outage_pause = 15min;
// Our clock may be behind Apple's; what is dead since a later time is not said by Apple.
constexpr milliseconds clocks_apart = 1h;

std::optional<milliseconds> pause_of(pace when, std::uint32_t attempts) noexcept {
    switch (when) {
        case pace::engine: return std::nullopt;
        case pace::at_once: return 0ms;
        case pace::device:
            return std::min(longest_device_pause, first_device_pause * (1U << std::min(attempts, 8U)));
        case pace::outage:
            return attempts == 0
                       ? std::nullopt
                       : std::optional(std::min(
                             longest_outage_pause, first_outage_pause * (1U << std::min(attempts - 1, 8U))));
    }
    return std::nullopt;
}

}  // namespace

judgement::judgement(const answer& given, std::uint32_t attempts, wall_time now) noexcept {
    bounded_json reader;
    std::string_view reason;
    const auto* document = given.body.empty() ? nullptr : reader.parse(given.body);
    const auto* object = document != nullptr ? document->if_object() : nullptr;
    if (object != nullptr) {
        reason = text_at(*object, "reason");
    }
    const bool plausible = given.status > 0 && given.status <= std::numeric_limits<std::uint16_t>::max();
    what_.status = static_cast<std::uint16_t>(plausible ? given.status : 0);
    row_ = &find_reason(what_.status, reason);
    // Whoever shows a page, it is not Apple: nobody was accepted, and nobody refused.
    const bool a_page = is_web_page(given.body) &&
                        (row_->action == reaction::accept || row_->action == reaction::reject_push);
    row_ = a_page ? &web_page_reason() : row_;
    what_.action = row_->action;
    what_.about_topic = row_->about_topic;
    what_.provider_id = given.apns_id;
    if (row_->reason != "Unknown") {
        what_.reason = row_->reason;
    } else if (what_.action != reaction::accept) {
        const std::string_view word = reason_word(reason);
        std::ranges::copy(word, word_.begin());
        what_.reason = std::string_view(word_.data(), word.size());
    }
    // APNs documents no Retry-After; if it ever sends one, it knows better than our table.
    what_.retry_after = parse_retry_after(given.retry_after, now);
    what_.told = what_.retry_after.has_value();
    if (!what_.retry_after) {
        what_.retry_after = pause_of(row_->when, attempts);
    }
    if (what_.action == reaction::drop_token && object != nullptr) {
        const auto* timestamp = object->if_contains("timestamp");
        const auto* since = timestamp != nullptr ? timestamp->if_int64() : nullptr;
        const auto latest = std::chrono::floor<milliseconds>((now + clocks_apart).time_since_epoch()).count();
        if (since != nullptr && *since > 0 && *since <= latest) {
            what_.dead_since = wall_time(milliseconds(*since));
        }
    }
    if (what_.action == reaction::drop_token && !what_.dead_since) {
        // Apple says since when with each 410; whoever does not say it need not be Apple.
        what_.action = reaction::doubt_token;
    }
}

}  // namespace tocsin::apns
