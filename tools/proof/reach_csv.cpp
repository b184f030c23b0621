#include "tools/proof/reach_csv.hpp"

#include "engine/core/visible_text.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace tocsin::proof {
namespace {

std::string cell(std::string_view text, csv_form form) {
    std::string out = made_visible(text);
    // A spreadsheet takes what begins so for a formula, wherever the list of communes came from.
    if (form == csv_form::excel && !out.empty() &&
        std::string_view("=+-@\t\r").find(out[0]) != std::string::npos) {
        out.insert(out.begin(), '\'');
    }
    if (out.find_first_of(",;\"\r\n") == std::string::npos) {
        return out;
    }
    for (std::size_t at = out.find('"'); at != std::string::npos; at = out.find('"', at + 2)) {
        out.insert(at, "\"");
    }
    return '"' + out + '"';
}

std::string cell(const std::optional<std::uint64_t>& count) {
    return count ? std::to_string(*count) : std::string();
}

std::string cell(const std::optional<double>& share, csv_form form) {
    if (!share) {
        return "";
    }
    std::string out = fmt::format("{:.4f}", *share);
    if (form == csv_form::excel) {
        std::ranges::replace(out, '.', ',');
    }
    return out;
}

}  // namespace

std::string reach_csv(std::span<const reach_row> rows, csv_form form) {
    const std::string_view comma = form == csv_form::excel ? ";" : ",";
    std::string out = form == csv_form::excel ? "\uFEFF" : "";
    const auto line = [&](const std::vector<std::string>& cells) {
        out.append(fmt::format("{}", fmt::join(cells, comma))).append("\r\n");
    };
    std::vector<std::string> heads{"insee", "name", "department"};
    heads.insert(heads.end(), measure_names.begin(), measure_names.end());
    heads.insert(heads.end(), {"reach", "confirmed_reach"});
    line(heads);
    for (const reach_row& row : rows) {
        std::vector<std::string> cells{
            cell(row.insee, form), cell(row.name, form), cell(row.department, form)};
        for (const auto& count : row.counts) {
            cells.push_back(cell(count));
        }
        cells.push_back(cell(row.share(row.of(measure::accepted)), form));
        cells.push_back(cell(row.share(row.confirmed()), form));
        line(cells);
    }
    return out;
}

}  // namespace tocsin::proof
