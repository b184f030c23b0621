#include "engine/event/publish_event.hpp"

#include "engine/core/digest.hpp"
#include "engine/core/text.hpp"

#include <algorithm>
#include <array>

namespace tocsin {
namespace {

// In the order of the enumerations, so that one table serves both directions.
constexpr auto priority_names = std::to_array<std::string_view>({"critical", "high", "normal", "low"});
constexpr auto selector_names =
    std::to_array<std::string_view>({"commune", "epci", "department", "zone", "everyone", "device"});
constexpr auto mode_names = std::to_array<std::string_view>({"actual", "dry_run"});
static_assert(priority_names.size() == priority_count);
static_assert(selector_names.size() == selector_kind_count);
static_assert(mode_names.size() == delivery_mode_count);

template <class Enum, std::size_t Count>
std::string_view name_of(const std::array<std::string_view, Count>& names, Enum value) noexcept {
    const auto index = static_cast<std::size_t>(value);
    return index < Count ? names[index] : std::string_view("unknown");
}

template <class Enum, std::size_t Count>
std::optional<Enum> value_of(
    const std::array<std::string_view, Count>& names, std::string_view name) noexcept {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) {
        return std::nullopt;
    }
    return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view to_string(priority value) noexcept {
    return name_of(priority_names, value);
}

std::optional<priority> parse_priority(std::string_view name) noexcept {
    return value_of<priority>(priority_names, name);
}

std::string_view to_string(selector_kind value) noexcept {
    return name_of(selector_names, value);
}

std::optional<selector_kind> parse_selector_kind(std::string_view name) noexcept {
    return value_of<selector_kind>(selector_names, name);
}

std::string_view to_string(delivery_mode value) noexcept {
    return name_of(mode_names, value);
}

std::optional<delivery_mode> parse_delivery_mode(std::string_view name) noexcept {
    return value_of<delivery_mode>(mode_names, name);
}

bool publish_event::skips_provider(platform on) const {
    return mode == delivery_mode::dry_run && !validated[static_cast<std::size_t>(on)];
}

std::string publish_event::effective_collapse_id() const {
    if (!collapse_id.empty()) {
        return collapse_id;
    }
    const std::uint64_t seed = event_seed(id);
    std::array<char, sizeof(seed)> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<char>(seed >> (8 * (bytes.size() - 1 - i)) & 0xFFU);
    }
    return "tocsin-" + to_hex({bytes.data(), bytes.size()});
}

}  // namespace tocsin
