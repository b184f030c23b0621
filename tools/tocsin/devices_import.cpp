#include "engine/event/registration.hpp"
#include "providers/known_platforms.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/device_session.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t lines_at_once = 4'096;
constexpr std::size_t most_problems_told = 20;

/// Reads lines into changes, and keeps account of what was wrong with them.
class line_reader {
public:
    line_reader(store_session& in, std::istream& lines, std::string file)
        : in_(in), lines_(lines), file_(std::move(file)) {}

    /// The changes of the next lines; sets `more` to false at the end.
    [[nodiscard]] std::vector<device_change> next(bool& more) {
        std::vector<device_change> changes;
        std::string line;
        while (changes.size() < lines_at_once && (more = static_cast<bool>(std::getline(lines_, line)))) {
            ++line_number_;
            if (line.find_first_not_of(" \t\r") == std::string::npos) {
                continue;
            }
            auto what = parse_registration(known_platforms(), line, in_.redis.time().wall_now());
            auto place = what.has_error() ? parsed<admission>(what.error())
                                          : admit(*what, in_.preparer, dormant_territories::kept);
            if (place.has_error()) {
                ++refused_;
                tell(place.error());
                continue;
            }
            if (place->left_out) {
                ++taken_in_part_;
                tell(*place->left_out);
            }
            for (const territory& where : place->dormant) {
                ++dormant_[selector_of(where)];
            }
            changes.push_back(to_change(std::move(*what)));
        }
        return changes;
    }

    /// What was not told line by line.
    void conclude() const {
        if (const std::uint64_t problems = refused_ + taken_in_part_; problems > most_problems_told) {
            complain(fmt::format("… and {} more lines", problems - most_problems_told));
        }
        std::size_t told = 0;
        for (const auto& [where, devices] : dormant_) {
            if (++told > most_problems_told) {
                complain(fmt::format("… and {} more territories", dormant_.size() - most_problems_told));
                break;
            }
            complain(fmt::format(
                "{} follow {}, which no event can name: it is kept, but reaches no device (tocsin "
                "devices "
                "merge)",
                devices, where));
        }
    }

    [[nodiscard]] std::uint64_t lines() const noexcept { return line_number_; }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
    [[nodiscard]] std::uint64_t taken_in_part() const noexcept { return taken_in_part_; }

    progress_line progress;

private:
    void tell(const refusal& why) {
        if (refused_ + taken_in_part_ <= most_problems_told) {
            progress.clear();
            complain(fmt::format("{}:{}: {}", file_, line_number_, why.message));
        }
    }

    store_session& in_;
    std::istream& lines_;
    std::string file_;
    std::uint64_t line_number_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t taken_in_part_ = 0;
    std::map<std::string, std::uint64_t> dormant_;
};

int import(const common_options& common, const std::string& file) {
    store_session in(common);
    std::ifstream opened;
    if (file != "-") {
        opened.open(file, std::ios::binary);
        if (!opened) {
            throw command_end(exit_failed, "cannot read " + file);
        }
    }
    line_reader reader(in, file == "-" ? std::cin : opened, file);
    std::array<std::uint64_t, change_outcome_count> outcomes{};
    bool more = true;
    while (more) {
        for (const change_outcome how : in.redis.run(in.store.apply(reader.next(more)))) {
            ++outcomes[static_cast<std::size_t>(how)];
        }
        reader.progress.show(grouped(reader.lines()) + " lines");
    }
    reader.progress.clear();
    reader.conclude();
    const auto of = [&](change_outcome how) { return outcomes[static_cast<std::size_t>(how)]; };
    std::uint64_t refused = reader.refused();
    const std::uint64_t removed = of(change_outcome::removed);
    if (const std::uint64_t damaged = of(change_outcome::damaged); damaged != 0) {
        complain(fmt::format(
            "{} not changed: what Redis holds where they belong is nothing that Tocsin has written",
            damaged));
        refused += damaged;
    }
    if (common.json) {
        print_json(json::object{
            {"lines", reader.lines()},
            {"added", of(change_outcome::added)},
            {"replaced", of(change_outcome::replaced)},
            {"removed", removed},
            {"refused", refused},
            {"taken_in_part", reader.taken_in_part()}});
    } else {
        print(fmt::format(
            "{} added, {} replaced, {} removed, {} refused", grouped(of(change_outcome::added)),
            grouped(of(change_outcome::replaced)), grouped(removed), grouped(refused)));
    }
    return refused + reader.taken_in_part() == 0 ? exit_ok : exit_failed;
}

}  // namespace

command devices_import_command() {
    const auto file = std::make_shared<std::string>();
    return {
        .name = "import",
        .group = command_group::devices,
        .summary = "Register devices, one registration document per line.",
        .examples = "tocsin devices import registrations.jsonl\n",
        .options = {option("FILE", *file, "The file; `-` for standard input").required()},
        .details =
            "Each line is a [registration](registrations.md). Works on the store itself, with or without an "
            "engine running. Exit code 1 if a line was refused, or accepted only in part because it names "
            "communes that never existed; the others are registered.\n\n"
            "If a device follows communes that have merged, or that the app no longer serves, these are kept "
            "and listed, so that an `export` can be imported as it is.",
        .run = [file](const common_options& common) { return import(common, *file); },
    };
}

}  // namespace tocsin::cli
