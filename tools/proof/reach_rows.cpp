#include "tools/proof/reach_rows.hpp"

#include "engine/core/json_members.hpp"
#include "engine/core/visible_text.hpp"

#include <functional>
#include <utility>

namespace tocsin::proof {
namespace {

namespace json = boost::json;

/// An upper-case letter without its accent, as a dictionary orders it; the character itself if it is no
/// letter of a commune's name.
char32_t plain_letter(char32_t c) noexcept {
    if (c >= U'a' && c <= U'z') {
        return c - U'a' + U'A';
    }
    if (c >= 0xE0 && c <= 0xFE && c != 0xF7) {
        c -= 0x20;  // Latin-1 small letters stand 32 behind the capital ones.
    }
    constexpr std::pair<std::u32string_view, char32_t> families[]{
        {U"ÀÁÂÃÄÅÆ", U'A'}, {U"Ç", U'C'},       {U"ÈÉÊË", U'E'}, {U"ÌÍÎÏ", U'I'},
        {U"Ñ", U'N'},       {U"ÒÓÔÕÖŒœ", U'O'}, {U"ÙÚÛÜ", U'U'}, {U"ÝŸÿ", U'Y'}};
    for (const auto& [letters, plain] : families) {
        if (letters.find(c) != std::u32string_view::npos) {
            return plain;
        }
    }
    return c;
}

std::u32string sort_key(std::string_view name) {
    std::u32string out;
    while (!name.empty()) {
        const auto one = front_of(name);
        const char32_t plain = one ? plain_letter(one->value) : U'?';
        name.remove_prefix(one ? one->size : 1);
        out += plain == U'-' || plain == U'\'' || plain == U'’' ? U' ' : plain;
    }
    return out;
}

template <class Key>
void sort_down(std::vector<reach_row>& rows, Key key) {
    std::ranges::stable_sort(rows, std::greater(), key);
}

}  // namespace

std::optional<std::uint64_t> reach_row::confirmed() const noexcept {
    // An empty count is less than any other.
    return std::max({of(measure::received), of(measure::displayed), of(measure::opened)});
}

std::optional<double> reach_row::share(const std::optional<std::uint64_t>& part) const noexcept {
    const auto& inhabitants = of(measure::population);
    if (!part || !inhabitants || *inhabitants == 0) {
        return std::nullopt;
    }
    return static_cast<double>(*part) / static_cast<double>(*inhabitants);
}

std::vector<reach_row> reach_rows(const json::object& communes, const territories& places) {
    std::vector<reach_row> out;
    for (const auto& member : communes) {
        const json::object* const counted = member.value().if_object();
        if (counted == nullptr) {
            continue;
        }
        reach_row row;
        row.insee = made_visible(member.key());  // What is counted may stand under a key of anybody's.
        const auto id = parse_commune_id(row.insee);
        if (const commune* const known = id ? places.find(*id) : nullptr) {
            row.name = known->name;
            row.department = to_string(known->department);
        }
        for (std::size_t i = 0; i < measure_count; ++i) {
            row.counts[i] = count_at(*counted, measure_names[i]);
        }
        out.push_back(std::move(row));
    }
    std::ranges::sort(out, {}, &reach_row::insee);
    return out;
}

bool counts(std::span<const reach_row> rows, measure which) noexcept {
    return std::ranges::any_of(rows, [which](const reach_row& row) { return row.of(which).has_value(); });
}

reach_row sum_of(std::span<const reach_row> rows) {
    reach_row out;
    for (const reach_row& row : rows) {
        for (std::size_t i = 0; i < measure_count; ++i) {
            if (row.counts[i]) {
                out.counts[i] = out.counts[i].value_or(0) + *row.counts[i];
            }
        }
    }
    return out;
}

std::vector<std::string> sort_words() {
    std::vector<std::string> out{"insee", "name"};
    out.insert(out.end(), measure_names.begin(), measure_names.end());
    out.insert(out.end(), {"reach", "confirmed_reach"});
    return out;
}

void sort_rows(std::vector<reach_row>& rows, std::string_view by) {
    std::ranges::sort(rows, {}, &reach_row::insee);
    if (by == "name") {
        std::ranges::stable_sort(rows, {}, [](const reach_row& row) { return sort_key(row.name); });
    } else if (by == "reach") {
        sort_down(rows, [](const reach_row& row) { return row.share(row.of(measure::accepted)); });
    } else if (by == "confirmed_reach") {
        sort_down(rows, [](const reach_row& row) { return row.share(row.confirmed()); });
    } else if (const auto* const word = std::ranges::find(measure_names, by); word != measure_names.end()) {
        const auto which = static_cast<measure>(word - measure_names.begin());
        sort_down(rows, [which](const reach_row& row) { return row.of(which); });
    }
}

void keep_departments(std::vector<reach_row>& rows, std::span<const std::string> codes) {
    if (codes.empty()) {
        return;
    }
    std::erase_if(
        rows, [&](const reach_row& row) { return std::ranges::find(codes, row.department) == codes.end(); });
}

}  // namespace tocsin::proof
