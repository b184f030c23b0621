#include "engine/platform/platform.hpp"

namespace tocsin {

std::optional<platform> parse_platform(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(platform_table, name, &platform_row::name);
    return found == platform_table.end() ? std::nullopt : std::optional(found->id);
}

std::string list_platforms(std::string_view conjunction, std::string_view before, std::string_view after) {
    std::string out;
    for (std::size_t i = 0; i < platform_count; ++i) {
        if (i != 0 && i + 1 == platform_count) {
            out.append(" ").append(conjunction).append(" ");
        } else if (i != 0) {
            out += ", ";
        }
        out.append(before).append(platform_table[i].name).append(after);
    }
    return out;
}

}  // namespace tocsin
