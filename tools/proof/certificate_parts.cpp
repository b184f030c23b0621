#include "tools/proof/certificate_parts.hpp"

#include "engine/core/json_members.hpp"
#include "engine/core/visible_text.hpp"
#include "tools/proof/french.hpp"

#include <array>
#include <chrono>
#include <iterator>

#include <fmt/format.h>

namespace tocsin::proof {
namespace {

namespace json = boost::json;

std::string share(std::string_view name, const reach_row& row, const std::optional<std::uint64_t>& part) {
    const std::uint64_t whole = row.of(measure::population).value_or(0);
    const bool known = part && whole != 0;
    return value(name, known ? french::percent(*part, whole) : std::string("—"), "td");
}

/// The numbers of one line of the table; `of` begins the names of its values.
std::string commune_cells(
    const reach_row& row, std::string_view of, const std::vector<measure>& columns, bool confirmed) {
    std::string out;
    for (const measure which : columns) {
        out +=
            counted(fmt::format("{}.{}", of, measure_names[static_cast<std::size_t>(which)]), row.of(which));
    }
    out += share(fmt::format("{}.reach", of), row, row.of(measure::accepted));
    if (confirmed) {
        out += share(fmt::format("{}.confirmed_reach", of), row, row.confirmed());
    }
    return out;
}

}  // namespace

std::string shortened(std::string_view text, std::size_t most) {
    std::size_t at = 0;
    for (std::size_t characters = 0; at < text.size(); ++characters) {
        if (characters == most) {
            // Between words, unless there is nothing but one.
            const std::size_t word = text.substr(0, at).rfind(' ');
            return std::string(text.substr(0, word == std::string_view::npos ? at : word)) + "…";
        }
        const auto one = front_of(text.substr(at));
        at += one ? one->size : 1;
    }
    return std::string(text);
}

std::string time_in(const json::object& result, std::string_view name) {
    const std::uint64_t ms = count_at(result, name).value_or(0);
    return ms == 0 ? "—" : french::moment(wall_time(std::chrono::milliseconds(ms)));
}

std::string value(std::string_view name, std::string_view text, std::string_view tag) {
    return fmt::format("<{0} data-of=\"{1}\">{2}</{0}>", tag, escaped(name), text);
}

std::string counted(std::string_view name, const std::optional<std::uint64_t>& count, std::string_view tag) {
    return value(name, count ? french::number(*count) : std::string("—"), tag);
}

std::string communes_section(const std::vector<reach_row>& rows, const reach_row& sum) {
    if (rows.empty()) {
        return "";
    }
    constexpr std::array<std::string_view, measure_count> heads{"Habitants", "Visés",    "Acceptés",
                                                                "Reçus",     "Affichés", "Ouverts"};
    std::vector<measure> columns;
    for (std::size_t i = 0; i < measure_count; ++i) {
        if (counts(rows, static_cast<measure>(i))) {
            columns.push_back(static_cast<measure>(i));
        }
    }
    const bool confirmed = sum.confirmed().has_value();
    std::string out =
        "<section aria-labelledby=\"communes\">\n<h2 id=\"communes\">Par commune</h2>\n<div "
        "class=\"scroll\">\n"
        "<table class=\"communes\" aria-labelledby=\"communes\"><thead><tr><th scope=\"col\">Commune</th>"
        "<th scope=\"col\">INSEE</th>";
    for (const measure which : columns) {
        out += fmt::format("<th scope=\"col\">{}</th>", heads[static_cast<std::size_t>(which)]);
    }
    out += "<th scope=\"col\">Portée</th>";
    out += confirmed ? "<th scope=\"col\">Confirmée</th>" : "";
    out += "</tr></thead>\n<tbody>\n";
    for (const reach_row& row : rows) {
        const std::string of = "communes." + row.insee;
        fmt::format_to(
            std::back_inserter(out), "<tr><th scope=\"row\" data-of=\"{0}.name\">{1}</th>{2}{3}</tr>\n",
            escaped(of), row.name.empty() ? std::string("—") : escaped(french::place(row.name)),
            value(of + ".insee", escaped(row.insee), "td"), commune_cells(row, of, columns, confirmed));
    }
    if (rows.size() > 1) {
        fmt::format_to(
            std::back_inserter(out),
            "</tbody>\n<tfoot><tr><th scope=\"row\">Ensemble</th><td></td>{}</tr></tfoot>",
            commune_cells(sum, "communes.all", columns, confirmed));
    } else {
        out += "</tbody>";
    }
    return out + "</table>\n</div>\n</section>\n";
}

}  // namespace tocsin::proof
