#include "providers/fcm/judgement.hpp"

#include "providers/common/bounded_json.hpp"
#include "providers/common/reason_word.hpp"
#include "providers/common/retry_after.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace tocsin::fcm {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds least_server_pause = 10s;
constexpr milliseconds longest_server_pause = 10min;
constexpr milliseconds minute = 60s;
constexpr milliseconds longest_device_pause = 16min;
constexpr milliseconds until_operator_acts = 5min;

milliseconds doubled(milliseconds first, std::uint32_t attempts, milliseconds longest) noexcept {
    return std::min(longest, first * (1U << std::min(attempts, 8U)));
}

std::optional<milliseconds> pause_of(pace when, std::uint32_t attempts) noexcept {
    switch (when) {
        case pace::none: return std::nullopt;
        case pace::minute: return minute;
        case pace::device: return doubled(minute, attempts, longest_device_pause);
        case pace::server: return doubled(least_server_pause, attempts, longest_server_pause);
        case pace::operator_acts: return until_operator_acts;
    }
    return std::nullopt;
}

/// Google's own word goes before our table, but never below the least interval that Google asks for.
std::optional<milliseconds> told_pause(
    const answer& given, const error_facts& facts, wall_time now) noexcept {
    auto told = parse_retry_after(given.retry_after, now);
    if (!told) {
        told = facts.retry_delay;
    }
    return told ? std::optional(std::max(*told, least_server_pause)) : std::nullopt;
}

}  // namespace

judgement::judgement(
    const answer& given, const surroundings& around, std::uint32_t attempts, wall_time now) noexcept {
    bounded_json reader;
    const error_facts facts = read_error(given.status, given.body, reader);
    why_ = find_cause(facts, around);
    const cause_row& row = row_of(why_);
    const bool plausible = given.status > 0 && given.status <= std::numeric_limits<std::uint16_t>::max();
    what_.status = static_cast<std::uint16_t>(plausible ? given.status : 0);
    what_.action = row.action;
    if (why_ == cause::unknown && attempts > 0) {
        what_.action = reaction::reject_push;
    }
    if (row.when != pace::none) {
        what_.retry_after = told_pause(given, facts, now);
        what_.told = what_.retry_after.has_value();
        if (!what_.retry_after) {
            what_.retry_after = pause_of(row.when, attempts);
        }
    }
    if (why_ == cause::accepted) {
        what_.provider_id = message_name(given.body);
        return;
    }
    const std::string_view word = reason_word(word_for(facts, why_));
    std::ranges::copy(word, word_.begin());
    what_.reason = std::string_view(word_.data(), word.size());
    sentence_size_ = std::min(facts.message.size(), sentence_.size());
    std::ranges::transform(facts.message.substr(0, sentence_size_), sentence_.begin(), [](char c) {
        return c >= ' ' && c <= '~' ? c : '?';
    });
}

std::string_view message_name(std::string_view body) noexcept {
    constexpr std::string_view key = "\"name\"";
    const auto at = body.find(key);
    if (at == std::string_view::npos) {
        return {};
    }
    body.remove_prefix(at + key.size());
    const auto start = body.find_first_not_of(" \t\r\n:");
    if (start == std::string_view::npos || body[start] != '"') {
        return {};
    }
    body.remove_prefix(start + 1);
    const auto end = body.find('"');
    const std::string_view name = body.substr(0, end == std::string_view::npos ? 0 : end);
    return name.find('\\') == std::string_view::npos ? name : std::string_view();
}

}  // namespace tocsin::fcm
