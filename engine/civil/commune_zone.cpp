#include "engine/civil/commune_zone.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

namespace tocsin {
namespace {

struct row {
    std::string_view codes;  ///< How they begin: of a territory, or the whole code of a commune.
    std::string_view zone;
};

// Sorted, and a commune that keeps another time than its territory stands behind it: the last row that fits
// is the one that counts.
constexpr auto table = std::to_array<row>({
    {"971", "America/Guadeloupe"},
    {"972", "America/Martinique"},
    {"973", "America/Cayenne"},
    {"974", "Indian/Reunion"},
    {"975", "America/Miquelon"},
    {"976", "Indian/Mayotte"},
    {"977", "America/St_Barthelemy"},
    {"978", "America/Marigot"},
    {"984", "Indian/Kerguelen"},             // Saint-Paul, Amsterdam, Kerguelen
    {"98413", "Indian/Reunion"},             // Crozet
    {"98414", "Antarctica/DumontDUrville"},  // Terre-Adélie
    {"98415", "Indian/Mayotte"},             // Îles Éparses: all but Tromelin
    {"986", "Pacific/Wallis"},
    {"987", "Pacific/Tahiti"},
    {"98718", "Pacific/Marquesas"},  // Fatu-Hiva
    {"98719", "Pacific/Gambier"},
    {"98723", "Pacific/Marquesas"},  // Hiva-Oa
    {"98731", "Pacific/Marquesas"},  // Nuku-Hiva
    {"98746", "Pacific/Marquesas"},  // Tahuata
    {"98756", "Pacific/Marquesas"},  // Ua-Huka
    {"98757", "Pacific/Marquesas"},  // Ua-Pou
    {"988", "Pacific/Noumea"},
    {"989", "Etc/GMT+8"},  // Clipperton: eight hours behind Greenwich, and no place of the database
});
static_assert(std::ranges::is_sorted(table, {}, &row::codes));

}  // namespace

std::string_view zone_of(commune_id commune) noexcept {
    // Codes of five digits never allocate.
    const std::string code = to_string(commune);
    std::string_view out = default_zone;
    for (const row& one : table) {
        if (code.starts_with(one.codes)) {
            out = one.zone;
        }
    }
    return out;
}

std::span<const std::string_view> commune_zones() noexcept {
    struct zone_list {
        std::array<std::string_view, table.size() + 1> names{default_zone};
        std::size_t count = 1;
    };
    static constexpr zone_list zones = [] {
        zone_list out;
        for (const row& one : table) {
            const auto end = out.names.begin() + static_cast<std::ptrdiff_t>(out.count);
            if (std::find(out.names.begin(), end, one.zone) == end) {
                out.names[out.count++] = one.zone;
            }
        }
        return out;
    }();
    return std::span(zones.names).first(zones.count);
}

}  // namespace tocsin
