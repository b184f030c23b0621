#include "engine/audience/audience.hpp"

#include "engine/audience/unknown_commune.hpp"
#include "engine/core/text.hpp"
#include "engine/event/refusal_codes.hpp"
#include "engine/event/selector.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

constexpr std::uint32_t codes_per_prefix = 36 * 36 * 36;

constexpr std::uint32_t no_bit = 1000;

/// Where a code stands in its prefix's row: its last three characters, which are digits. `no_bit` if
/// they are not: numbers come from stored entries, too.
std::uint32_t bit_of(commune_id id) noexcept {
    const std::uint32_t hundreds = id.value() / (36 * 36) % 36;
    const std::uint32_t tens = id.value() / 36 % 36;
    const std::uint32_t ones = id.value() % 36;
    return hundreds < 10 && tens < 10 && ones < 10 ? hundreds * 100 + tens * 10 + ones : no_bit;
}

template <class T>
void keep_each_once(std::vector<T>& values) {
    std::ranges::sort(values);
    const auto rest = std::ranges::unique(values);
    values.erase(rest.begin(), rest.end());
}

std::string nearest_code(std::string_view code, const std::vector<std::string>& codes) {
    const std::vector<std::string_view> views(codes.begin(), codes.end());
    const std::string_view best = nearest(code, views);
    return best.empty() ? std::string() : "; did you mean \"" + std::string(best) + "\"?";
}

refusal unknown(refusal_code code, const selector& one, std::string_view what, const std::string& hint) {
    return refuse(code, "audience: no " + std::string(what) + " \"" + one.value + "\"" + hint);
}

}  // namespace

parsed<audience> audience::resolve(
    platform_set platforms, std::span<const selector> selectors, const territories& known) {
    audience out;
    const auto add = [&out](std::span<const commune_id> communes) {
        out.communes_.insert(out.communes_.end(), communes.begin(), communes.end());
    };
    for (const selector& one : selectors) {
        switch (one.kind) {
            case selector_kind::everyone: out.everyone_ = true; break;
            case selector_kind::commune: {
                const auto id = parse_commune_id(one.value);
                if (!id || known.find(*id) == nullptr) {
                    return unknown(
                        refusal_code::unknown_commune, one, "commune",
                        unknown_commune_hint(one.value, known));
                }
                out.communes_.push_back(*id);
                break;
            }
            case selector_kind::epci: {
                const auto id = parse_epci_id(one.value);
                const auto communes = id ? known.of_epci(*id) : std::span<const commune_id>();
                if (communes.empty()) {
                    return unknown(
                        refusal_code::unknown_epci, one, "EPCI", nearest_code(one.value, known.epci_codes()));
                }
                add(communes);
                break;
            }
            case selector_kind::department: {
                const auto id = parse_department_id(one.value);
                const auto communes = id ? known.of_department(*id) : std::span<const commune_id>();
                if (communes.empty()) {
                    return unknown(
                        refusal_code::unknown_department, one, "department",
                        nearest_code(one.value, known.department_codes()));
                }
                add(communes);
                break;
            }
            case selector_kind::zone: {
                territory zone = zone_of(one);
                if (zone.zone.empty() || known.find(zone.commune) == nullptr) {
                    return unknown(
                        refusal_code::unknown_commune, one, "commune for zone",
                        unknown_commune_hint(std::string_view(one.value).substr(0, 5), known));
                }
                out.zones_.push_back(std::move(zone));
                break;
            }
            case selector_kind::device:
                out.devices_.push_back(
                    {.on = one.device, .token = platforms[one.device].stored_token(one.value)});
                break;
        }
    }
    if (out.everyone_) {
        out.communes_.clear();
        for (const commune& one : known.all()) {
            out.communes_.push_back(one.id);
        }
    }
    out.settle();
    return out;
}

void audience::settle() {
    keep_each_once(communes_);
    keep_each_once(zones_);
    keep_each_once(devices_);
    rows_.clear();
    row_of_.assign(communes_.empty() ? 0 : prefixes, 0);
    // Fewer than 255 prefixes exist: two digits, 2A and 2B.
    for (const commune_id id : communes_) {
        std::uint8_t& index = row_of_[id.value() / codes_per_prefix];
        if (index == 0) {
            rows_.emplace_back();
            index = static_cast<std::uint8_t>(rows_.size());
        }
        const std::uint32_t bit = bit_of(id);
        rows_[index - 1U][bit / 64] |= std::uint64_t{1} << bit % 64;
    }
}

bool audience::contains_commune(commune_id id) const noexcept {
    const std::size_t prefix = id.value() / codes_per_prefix;
    if (prefix >= row_of_.size() || row_of_[prefix] == 0) {
        return false;
    }
    const std::uint32_t bit = bit_of(id);
    return bit != no_bit && (rows_[row_of_[prefix] - 1U][bit / 64] >> bit % 64 & 1U) != 0;
}

bool audience::contains(commune_id commune, std::string_view zone) const noexcept {
    if (zone.empty()) {
        return contains_commune(commune);
    }
    const auto key = [](const territory& where) {
        return std::pair(where.commune, std::string_view(where.zone));
    };
    const auto found = std::ranges::lower_bound(zones_, std::pair(commune, zone), {}, key);
    return found != zones_.end() && key(*found) == std::pair(commune, zone);
}

bool is_first_match(
    const audience& whom, std::span<const territory> follows, const territory& here) noexcept {
    const auto first =
        std::ranges::find_if(follows, [&whom](const territory& where) { return whom.contains(where); });
    return first != follows.end() && *first == here;
}

}  // namespace tocsin
