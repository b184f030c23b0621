#include "engine/audience/territories.hpp"

#include "engine/audience/territories_bundled.hpp"
#include "engine/audience/territories_csv.hpp"
#include "engine/core/text.hpp"
#include "engine/event/json_document.hpp"
#include "engine/event/refusal_codes.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace tocsin {
namespace {

constexpr auto header =
    std::to_array<std::string_view>({"insee", "name", "population", "department", "epci"});
constexpr std::uint32_t largest_population = 1'000'000'000;
constexpr std::uintmax_t largest_file = std::uintmax_t{64} << 20U;

refusal at_line(std::size_t line, const std::string& what) {
    return refuse(refusal_code::invalid_territories_file, "line " + std::to_string(line) + ": " + what);
}

parsed<commune> read_commune(const std::vector<std::string>& fields, std::size_t line) {
    if (fields.size() != header.size()) {
        return at_line(
            line, "a commune has 5 fields (insee,name,population,department,epci), not " +
                      std::to_string(fields.size()));
    }
    commune out;
    const auto id = parse_commune_id(fields[0]);
    if (!id) {
        return at_line(line, in_quotes(fields[0]) + " is not an INSEE code, as in 21231 or 2A004");
    }
    out.id = *id;
    if (fields[1].empty()) {
        return at_line(line, "commune " + fields[0] + " has no name");
    }
    if (!is_utf8(fields[1])) {
        return at_line(line, "the name of commune " + fields[0] + " is not UTF-8");
    }
    out.name = fields[1];
    const std::string& people = fields[2];
    const auto [stop, failure] =
        std::from_chars(people.data(), people.data() + people.size(), out.population);
    if (failure != std::errc() || stop != people.data() + people.size() ||
        out.population > largest_population) {
        return at_line(line, in_quotes(people) + " is not a number of inhabitants");
    }
    const auto department = parse_department_id(fields[3]);
    if (!department) {
        return at_line(line, in_quotes(fields[3]) + " is not a department");
    }
    out.department = *department;
    if (!fields[4].empty()) {
        out.epci = parse_epci_id(fields[4]);
        if (!out.epci) {
            return at_line(
                line, in_quotes(fields[4]) + " is not a SIREN number of 9 digits (leave it empty for none)");
        }
    }
    return out;
}

parsed<std::string> read_file(const std::filesystem::path& file) {
    const auto unreadable = [&file](const std::string& why) {
        return refuse(refusal_code::invalid_territories_file, file.string() + ": " + why);
    };
    std::error_code failure;
    const std::uintmax_t size = std::filesystem::file_size(file, failure);
    if (failure) {
        return unreadable(failure.message());
    }
    if (size > largest_file) {
        return unreadable("larger than 64 MiB: not a list of communes");
    }
    std::ifstream in(file, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (!in.good() && !in.eof()) {
        return unreadable(std::generic_category().message(errno));
    }
    return text;
}

template <class Id>
std::span<const commune_id> members(const std::map<Id, std::vector<commune_id>>& of, Id id) noexcept {
    const auto found = of.find(id);
    return found == of.end() ? std::span<const commune_id>() : std::span<const commune_id>(found->second);
}

template <class Id>
std::vector<std::string> codes(const std::map<Id, std::vector<commune_id>>& of) {
    std::vector<std::string> out;
    out.reserve(of.size());
    for (const auto& [id, communes] : of) {
        out.push_back(to_string(id));
    }
    return out;
}

}  // namespace

parsed<territories> territories::load(const std::filesystem::path& file) {
    if (file.empty()) {
        return parse(bundled_communes(), bundled_epci(), bundled_former_communes());
    }
    const auto text = read_file(file);
    if (!text) {
        return text.error();
    }
    auto loaded = parse(*text, bundled_epci(), bundled_former_communes());
    if (!loaded) {
        refusal why = std::move(loaded).error();
        why.message.insert(0, file.string() + ": ");
        return why;
    }
    loaded->remember_bundled();
    return loaded;
}

parsed<territories> territories::parse(
    std::string_view communes, std::string_view epci, std::string_view former) {
    territories out;
    if (auto fine = out.read_communes(communes); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = out.read_epci_names(epci); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = out.read_former(former); !fine) {
        return std::move(fine).error();
    }
    return out;
}

parsed<> territories::read_communes(std::string_view csv) {
    csv_reader reader(csv);
    auto first = reader.next();
    if (!first) {
        return std::move(first).error();
    }
    if (!*first || !std::ranges::equal(**first, header)) {
        return at_line(1, "the header must be insee,name,population,department,epci");
    }
    std::vector<std::pair<commune_id, std::size_t>> lines;
    for (;;) {
        auto record = reader.next();
        if (!record) {
            return std::move(record).error();
        }
        if (!*record) {
            break;
        }
        auto one = read_commune(**record, reader.line());
        if (!one) {
            return std::move(one).error();
        }
        lines.emplace_back(one->id, reader.line());
        communes_.push_back(std::move(*one));
    }
    if (communes_.empty()) {
        return at_line(reader.line(), "there is no commune in the file");
    }
    std::ranges::sort(lines);
    const auto twice = std::ranges::adjacent_find(
        lines, {}, [](const std::pair<commune_id, std::size_t>& at) { return at.first; });
    if (twice != lines.end()) {
        return at_line(
            std::next(twice)->second, "commune " + to_string(twice->first) + " stands on line " +
                                          std::to_string(twice->second) + " already");
    }
    std::ranges::sort(communes_, {}, &commune::id);
    for (const commune& one : communes_) {
        total_population_ += one.population;
        by_department_[one.department].push_back(one.id);
        if (one.epci) {
            by_epci_[*one.epci].push_back(one.id);
        }
    }
    return {};
}

parsed<> territories::read_epci_names(std::string_view csv) {
    csv_reader reader(csv);
    for (bool past_header = false;; past_header = true) {
        auto record = reader.next();
        if (!record) {
            return std::move(record).error();
        }
        if (!*record) {
            return {};
        }
        const std::vector<std::string>& fields = **record;
        if (!past_header) {
            continue;
        }
        const auto id = parse_epci_id(fields[0]);
        if (!id || fields.size() < 2) {
            return at_line(
                reader.line(), "an EPCI is its SIREN number and its name, not " + in_quotes(fields[0]));
        }
        epci_names_.insert_or_assign(*id, fields[1]);
    }
}

parsed<> territories::read_former(std::string_view csv) {
    csv_reader reader(csv);
    for (bool past_header = false;; past_header = true) {
        auto record = reader.next();
        if (!record) {
            return std::move(record).error();
        }
        if (!*record) {
            std::ranges::sort(former_);
            return {};
        }
        const std::vector<std::string>& fields = **record;
        if (!past_header) {
            continue;
        }
        const auto code = parse_commune_id(fields[0]);
        const auto today = fields.size() < 2 ? std::nullopt : parse_commune_id(fields[1]);
        if (!code || !today) {
            return at_line(reader.line(), "a former commune is its code and that of the commune of today");
        }
        former_.emplace_back(*code, *today);
    }
}

void territories::remember_bundled() {
    csv_reader reader(bundled_communes());
    for (auto record = reader.next(); record && *record; record = reader.next()) {
        if (const auto id = parse_commune_id((**record)[0])) {
            bundled_.push_back(*id);
        }
    }
    std::ranges::sort(bundled_);
}

std::vector<commune_id> territories::successors(commune_id code) const {
    std::vector<commune_id> out;
    const auto [first, last] =
        std::ranges::equal_range(former_, code, {}, &std::pair<commune_id, commune_id>::first);
    for (auto one = first; one != last; ++one) {
        if (find(one->second) != nullptr) {
            out.push_back(one->second);
        }
    }
    return out;
}

bool territories::ever_existed(commune_id code) const noexcept {
    return find(code) != nullptr || std::ranges::binary_search(bundled_, code) ||
           std::ranges::binary_search(former_, code, {}, &std::pair<commune_id, commune_id>::first);
}

const commune* territories::find(commune_id id) const noexcept {
    const auto found = std::ranges::lower_bound(communes_, id, {}, &commune::id);
    return found != communes_.end() && found->id == id ? &*found : nullptr;
}

std::span<const commune_id> territories::of_epci(epci_id id) const noexcept {
    return members(by_epci_, id);
}

std::span<const commune_id> territories::of_department(department_id id) const noexcept {
    return members(by_department_, id);
}

std::uint32_t territories::population(commune_id id) const noexcept {
    const commune* found = find(id);
    return found == nullptr ? 0 : found->population;
}

std::string_view territories::name(commune_id id) const noexcept {
    const commune* found = find(id);
    return found == nullptr ? std::string_view() : std::string_view(found->name);
}

std::string_view territories::epci_name(epci_id id) const noexcept {
    const auto found = epci_names_.find(id);
    return found == epci_names_.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<std::string> territories::epci_codes() const {
    return codes(by_epci_);
}

std::vector<std::string> territories::department_codes() const {
    return codes(by_department_);
}

}  // namespace tocsin
