#include "engine/event/registration.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/device_session.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <fstream>
#include <iostream>
#include <memory>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t lines_at_once = 4'096;
constexpr std::size_t most_problems_told = 20;

int import(store_session& in, const common_options& common, const std::string& file) {
    std::ifstream opened;
    if (file != "-") {
        opened.open(file, std::ios::binary);
        if (!opened) {
            complain("cannot read " + file);
            return exit_failed;
        }
    }
    std::istream& lines = file == "-" ? std::cin : opened;
    progress_line progress;
    std::uint64_t line_number = 0;
    std::uint64_t refused = 0;
    std::array<std::uint64_t, change_outcome_count> outcomes{};
    std::string line;
    bool more = true;
    while (more) {
        std::vector<device_change> changes;
        while (changes.size() < lines_at_once && (more = static_cast<bool>(std::getline(lines, line)))) {
            ++line_number;
            if (line.find_first_not_of(" \t\r") == std::string::npos) {
                continue;
            }
            auto what = parse_registration(line, in.redis->time().wall_now());
            refusal why;
            if (what.has_error()) {
                why = std::move(what.error());
            } else if (auto known = check_registration(*what, in.preparer); known.has_error()) {
                why = std::move(known.error());
            } else {
                changes.push_back(to_change(std::move(*what)));
                continue;
            }
            if (++refused <= most_problems_told) {
                progress.clear();
                complain(fmt::format("{}:{}: {}", file, line_number, why.message));
            }
        }
        const auto applied = in.redis->run(in.store->apply(std::move(changes)));
        if (!applied) {
            return exit_unreachable;
        }
        for (const change_outcome how : *applied) {
            ++outcomes[static_cast<std::size_t>(how)];
        }
        progress.show(grouped(line_number) + " lines");
    }
    progress.clear();
    if (refused > most_problems_told) {
        complain(fmt::format("… and {} more lines were refused", refused - most_problems_told));
    }
    const auto of = [&](change_outcome how) { return outcomes[static_cast<std::size_t>(how)]; };
    const std::uint64_t removed = of(change_outcome::removed);
    if (const std::uint64_t damaged = of(change_outcome::damaged); damaged != 0) {
        complain(fmt::format(
            "{} not changed: what Redis holds where they belong is nothing that Tocsin has written",
            damaged));
        refused += damaged;
    }
    if (common.json) {
        print_json(json::object{
            {"lines", line_number},
            {"added", of(change_outcome::added)},
            {"replaced", of(change_outcome::replaced)},
            {"removed", removed},
            {"refused", refused}});
    } else {
        print(fmt::format(
            "{} added, {} replaced, {} removed, {} refused", grouped(of(change_outcome::added)),
            grouped(of(change_outcome::replaced)), grouped(removed), grouped(refused)));
    }
    return refused == 0 ? exit_ok : exit_failed;
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
            "engine running. Exit "
            "code 1 if a line was refused; the others are registered.",
        .run =
            [file](const common_options& common) {
                return with_store(common, [&](store_session& in) { return import(in, common, *file); });
            },
    };
}

}  // namespace tocsin::cli
