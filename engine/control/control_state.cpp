#include "engine/control/control_state.hpp"

#include <algorithm>
#include <charconv>

namespace tocsin {
namespace {

constexpr std::string_view any = "*";
constexpr std::string_view hold_prefix = "pause:";
constexpr std::string_view rate_prefix = "rate:";
constexpr std::string_view quota_prefix = "quota:";

template <class T>
std::optional<T> to_number(std::string_view text) noexcept {
    T value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

std::string to_string(const hold_selector& which) {
    return (which.app.empty() ? std::string(any) : which.app) + "/" +
           std::string(which.on ? to_string(*which.on) : any);
}

std::optional<hold_selector> parse_hold_selector(std::string_view text) {
    const std::size_t slash = text.rfind('/');
    if (slash == std::string_view::npos || slash == 0) {
        return std::nullopt;
    }
    hold_selector out;
    if (text.substr(0, slash) != any) {
        out.app = text.substr(0, slash);
    }
    const std::string_view on = text.substr(slash + 1);
    if (on != any) {
        out.on = parse_platform(on);
        if (!out.on) {
            return std::nullopt;
        }
    }
    return out;
}

bool control_state::holds_back(const target& which) const noexcept {
    return std::ranges::any_of(holds, [&](const hold_selector& one) { return one.covers(which); });
}

void read_control_field(control_state& into, std::string_view name, std::string_view value) {
    if (name.starts_with(hold_prefix)) {
        if (auto which = parse_hold_selector(name.substr(hold_prefix.size()))) {
            into.holds.push_back(std::move(*which));
        }
    } else if (name.starts_with(rate_prefix)) {
        auto which = parse_target(name.substr(rate_prefix.size()));
        const auto rate = to_number<std::uint64_t>(value);
        if (which && rate) {
            into.rates.insert_or_assign(std::move(*which), *rate);
        }
    } else if (name.starts_with(quota_prefix)) {
        if (const auto until = to_number<std::int64_t>(value)) {
            into.quotas.insert_or_assign(
                std::string(name.substr(quota_prefix.size())), wall_time(std::chrono::milliseconds(*until)));
        }
    }
}

std::string hold_field(const hold_selector& which) {
    return std::string(hold_prefix) + to_string(which);
}

std::string rate_field(const target& which) {
    return std::string(rate_prefix) + to_string(which);
}

std::string quota_field(std::string_view quota) {
    return std::string(quota_prefix) + std::string(quota);
}

}  // namespace tocsin
