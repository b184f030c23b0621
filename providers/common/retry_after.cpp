#include "providers/common/retry_after.hpp"

#include "providers/common/http_date.hpp"

#include <algorithm>
#include <charconv>

namespace tocsin {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds longest = std::chrono::minutes(15);

std::string_view trimmed(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The number that all of `digits` makes.
std::optional<std::int64_t> number(std::string_view digits) noexcept {
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    // Too many digits for 64 bits: certainly longer than our longest.
    return ec == std::errc() ? value : std::int64_t{longest.count()};
}

}  // namespace

std::optional<milliseconds> parse_retry_after(std::string_view text, wall_time now) noexcept {
    text = trimmed(text);
    if (const auto seconds = number(text)) {
        return std::min(longest, milliseconds(std::min<std::int64_t>(*seconds, 86'400) * 1000));
    }
    if (const auto when = parse_http_date(text)) {
        return std::clamp(milliseconds(*when - now), milliseconds(0), longest);
    }
    return std::nullopt;
}

std::optional<milliseconds> parse_proto_duration(std::string_view text) noexcept {
    if (text.empty() || text.back() != 's') {
        return std::nullopt;
    }
    text.remove_suffix(1);
    const auto point = text.find('.');
    const auto seconds = number(text.substr(0, point));
    if (!seconds) {
        return std::nullopt;
    }
    milliseconds out(std::min<std::int64_t>(*seconds, 86'400) * 1000);
    if (point != std::string_view::npos) {
        const std::string_view fraction = text.substr(point + 1);
        if (!number(fraction)) {
            return std::nullopt;
        }
        std::int64_t thousandths = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            thousandths = thousandths * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
        }
        out += milliseconds(thousandths);
    }
    return std::min(out, longest);
}

}  // namespace tocsin
