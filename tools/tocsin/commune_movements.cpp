#include "tools/tocsin/commune_movements.hpp"

#include "engine/audience/territories_csv.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>

namespace tocsin::cli {
namespace {

constexpr std::size_t longest_chain = 50;

// Events after which the commune before is still there: a new name, a part that left, a commune restored.
constexpr auto not_ends = std::to_array<std::string_view>({"10", "20", "21"});

struct columns {
    std::optional<std::size_t> kind;
    std::optional<std::size_t> date;
    std::optional<std::size_t> type_before;
    std::optional<std::size_t> before;
    std::optional<std::size_t> type_after;
    std::optional<std::size_t> after;
};

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

columns read_header(const std::vector<std::string>& header) {
    columns out;
    for (std::size_t i = 0; i < header.size(); ++i) {
        const std::string name = lower(header[i]);
        if (name == "mod") {
            out.kind = i;
        } else if (name == "date_eff") {
            out.date = i;
        } else if (name == "typecom_av") {
            out.type_before = i;
        } else if (name == "com_av" || name == "from") {
            out.before = i;
        } else if (name == "typecom_ap") {
            out.type_after = i;
        } else if (name == "com_ap" || name == "to") {
            out.after = i;
        }
    }
    return out;
}

/// A date that orders as it is written: also of 01/01/2019.
std::string sortable(const std::string& date) {
    if (date.size() == 10 && date[2] == '/' && date[5] == '/') {
        return date.substr(6) + "-" + date.substr(3, 2) + "-" + date.substr(0, 2);
    }
    return date;
}

refusal at_line(std::size_t line, const std::string& what) {
    return {"movements", "line " + std::to_string(line) + ": " + what};
}

}  // namespace

parsed<commune_movements> commune_movements::parse(std::string_view csv) {
    csv_reader reader(csv);
    auto header = reader.next();
    if (header.has_error()) {
        return std::move(header).error();
    }
    const columns at = *header ? read_header(**header) : columns{};
    if (!at.before || !at.after) {
        return at_line(
            1,
            "the columns COM_AV and COM_AP (INSEE's table of events), or from and to, are needed, with "
            "commas between them");
    }
    commune_movements out;
    for (;;) {
        auto record = reader.next();
        if (record.has_error()) {
            return std::move(record).error();
        }
        if (!*record) {
            break;
        }
        const std::vector<std::string>& fields = **record;
        const auto field = [&](const std::optional<std::size_t>& column) {
            return column && *column < fields.size() ? fields[*column] : std::string();
        };
        const auto whole = [&](const std::optional<std::size_t>& column) {
            const std::string type = field(column);  // COMA, COMD and ARM are parts of one.
            return type.empty() || type == "COM";
        };
        if (fields.size() == 1 && fields[0].empty()) {
            continue;
        }
        if (!whole(at.type_before) || !whole(at.type_after) ||
            std::ranges::find(not_ends, std::string_view(field(at.kind))) != not_ends.end()) {
            continue;
        }
        const auto from = parse_commune_id(field(at.before));
        const auto to = parse_commune_id(field(at.after));
        if (!from || !to) {
            return at_line(
                reader.line(), "\"" + field(from ? at.after : at.before) + "\" is not an INSEE code");
        }
        if (*from != *to) {
            out.all_.push_back({*from, sortable(field(at.date)), *to});
        }
    }
    const auto order = [](const movement& one) { return std::tie(one.from, one.date, one.to); };
    std::ranges::sort(out.all_, {}, order);
    const auto repeated = std::ranges::unique(
        out.all_, [&](const movement& a, const movement& b) { return order(a) == order(b); });
    out.all_.erase(repeated.begin(), repeated.end());
    return out;
}

/// The first of the last events of `code` on one day; the end if there is none.
std::vector<commune_movements::movement>::const_iterator commune_movements::last_of(
    commune_id code, std::string_view not_before) const {
    const auto [first, end] = std::ranges::equal_range(all_, code, {}, &movement::from);
    if (first == end || std::prev(end)->date < not_before) {
        return all_.end();
    }
    return std::ranges::find(first, end, std::prev(end)->date, &movement::date);
}

std::vector<commune_id> commune_movements::today(commune_id code, const territories& known) const {
    commune_id here = code;
    std::string since;
    for (std::size_t step = 0; step < longest_chain; ++step) {
        const auto first = last_of(here, since);
        if (first == all_.end()) {
            return {};
        }
        std::vector<commune_id> next;
        for (auto one = first; one != all_.end() && one->from == here && one->date == first->date; ++one) {
            next.push_back(one->to);
        }
        if (next.size() > 1) {
            return next;
        }
        if (known.find(next.front()) != nullptr) {
            return next;
        }
        since = first->date;
        here = next.front();
    }
    return {};
}

}  // namespace tocsin::cli
