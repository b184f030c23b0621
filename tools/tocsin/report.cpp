#include "engine/plan/report.hpp"

#include "tools/proof/reach_csv.hpp"
#include "tools/proof/reach_rows.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/report_certificate.hpp"
#include "tools/tocsin/report_document.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;
using proof::measure;
using proof::reach_row;

struct report_options {
    std::string event;
    std::string sort = "insee";
    std::vector<std::string> departments;
    std::string csv;
    std::string certificate;
    std::string verify;
};

/// A per cent with one decimal; a small one has up to four, to be told from none.
std::string spoken_share(const std::optional<double>& share) {
    if (!share) {
        return "";
    }
    const double percent = 100.0 * *share;
    const int decimals =
        percent == 0 ? 1 : std::clamp(1 - static_cast<int>(std::floor(std::log10(percent))), 1, 4);
    return fmt::format("{:.{}f} %", percent, decimals);
}

/// The measures that the event counts, each a column.
std::vector<measure> columns_of(const std::vector<reach_row>& rows) {
    std::vector<measure> out{measure::population};
    for (const measure which :
         {measure::targeted, measure::accepted, measure::received, measure::displayed, measure::opened}) {
        if (proof::counts(rows, which)) {
            out.push_back(which);
        }
    }
    return out;
}

/// `sum`: the last line.
std::string commune_table(const std::vector<reach_row>& rows, const reach_row& sum) {
    const std::vector<measure> columns = columns_of(rows);
    const bool confirmed = sum.confirmed().has_value();
    std::vector<std::string> heads{"INSEE", "commune"};
    for (const measure which : columns) {
        heads.emplace_back(
            which == measure::population ? "inhabitants"
                                         : proof::measure_names[static_cast<std::size_t>(which)]);
    }
    heads.emplace_back("reach");
    if (confirmed) {
        heads.emplace_back("confirmed");
    }
    table out(std::move(heads));
    const auto add = [&](const reach_row& row, std::string insee, std::string name) {
        std::vector<std::string> cells{std::move(insee), std::move(name)};
        for (const measure which : columns) {
            cells.push_back(grouped(row.of(which).value_or(0)));
        }
        cells.push_back(spoken_share(row.share(row.of(measure::accepted))));
        if (confirmed) {
            cells.push_back(spoken_share(row.share(row.confirmed())));
        }
        out.add(std::move(cells));
    };
    for (const reach_row& row : rows) {
        add(row, row.insee, row.name.empty() ? "?" : row.name);
    }
    add(sum, "", "all");
    return out.text();
}

/// The document with its communes in the order of `rows`, and no others.
json::object arranged(json::object document, const std::vector<reach_row>& rows) {
    json::object communes;
    json::object& all = document.at("communes").as_object();
    for (const reach_row& row : rows) {
        communes[row.insee] = std::move(all.at(row.insee));
    }
    all = std::move(communes);
    return document;
}

void show(
    const common_options& common, const report_options& how, const stored_event& event,
    const territories& places) {
    json::object document = report_document(event.report, places);
    auto rows = proof::reach_rows(document.at("communes").as_object(), places);
    proof::keep_departments(rows, how.departments);
    proof::sort_rows(rows, how.sort);
    if (!how.csv.empty()) {
        print_document(
            proof::reach_csv(rows, how.csv == "excel" ? proof::csv_form::excel : proof::csv_form::plain));
    } else if (common.json) {
        print_json(arranged(std::move(document), rows));
    } else {
        reach_row sum = proof::sum_of(rows);
        if (how.departments.empty()) {
            // Of all: a device that nobody has registered was targeted, and has no commune.
            sum.of(measure::targeted) = event.report.targeted;
            sum.of(measure::accepted) = event.report.count(outcome::accepted);
        }
        print(report_table(event.report, system_time_source().wall_now()));
        print(commune_table(rows, sum));
    }
}

/// What was asked for beside the table; only one thing can be printed.
void expect_one(const common_options& common, const report_options& how) {
    if (!how.csv.empty() + !how.certificate.empty() + !how.verify.empty() > 1) {
        throw command_end(exit_usage, "--csv, --certificate and --verify exclude each other");
    }
    if (!how.csv.empty() && common.json) {
        throw command_end(exit_usage, "--csv and --json exclude each other");
    }
}

/// A department that does not exist would be an empty table, and believed.
void expect_existing(const std::vector<std::string>& departments, const territories& places) {
    for (const std::string& code : departments) {
        const auto id = parse_department_id(code);
        if (!id || places.of_department(*id).empty()) {
            throw command_end(exit_usage, "--department: no department \"" + code + "\"");
        }
    }
}

int report(const common_options& common, const report_options& how) {
    expect_one(common, how);
    opened_session in(common);
    const territories places = load_territories(in.how);
    expect_existing(how.departments, places);
    const auto found = in.redis.run(read_stored_event(in.redis, how.event));
    if (!found && !how.verify.empty()) {
        return verify_remembered(in.redis, common, how.event, how.verify);
    }
    if (!found) {
        end_without(in.redis, how.event);
    }
    if (!how.certificate.empty()) {
        return write_certificate(in.redis, common, *found, places, how.certificate);
    }
    if (!how.verify.empty()) {
        return verify_certificate(common, *found, places, how.verify);
    }
    show(common, how, *found, places);
    return exit_ok;
}

constexpr std::string_view about =
    "Shows an event's sums and, commune by commune, inhabitants, targeted and accepted devices and reach, "
    "even for an event to more than 1000 communes, whose result has no `communes`. It also lists communes in "
    "which no device was reached. For an event with `receipts` it shows how many devices have [received, "
    "displayed and opened](receipts.md) it by now, and the confirmed reach, which is the largest of the "
    "three over the inhabitants.\n\n"
    "`--json`: the result, and for all communes together and for each under `communes`: `population`, "
    "`targeted`, `accepted`, `received`, `displayed`, `opened`, `reach`, `confirmed_reach`. Values that the "
    "event did not ask for are null. `--sort` and `--department` arrange `communes` too; the sums are those "
    "of the whole event.\n\n"
    "An event can be reported on until `engine.event_retention` after its end.\n\n"
    "`--csv` always has the columns `insee`, `name`, `department`, `population`, `targeted`, `accepted`, "
    "`received`, `displayed`, `opened`, `reach`, `confirmed_reach`; values that are not counted for the "
    "event are empty. `--csv=excel` begins with a byte order mark and has semicolons and decimal commas, as "
    "a French spreadsheet expects.\n\n"
    "`--certificate` writes one page in French, for A4 and for screen readers, with the result and the "
    "receipts so far; more than 25 communes take further pages. It carries the SHA-256 of the canonical "
    "result: the JSON document with its members in order and no white space, as `jq -cjS .` writes it. "
    "`--verify` makes the page again from Redis and compares: exit code 1, with the name of each wrong "
    "value, if the page shows anything that is not true. Receipts that came after the page was made do not "
    "make it false. If the event is no longer kept, `--verify` compares the whole file with the certificates "
    "that were made of the event within a year. With "
    "`--json`: `event`, `valid`, `sha256`, `as_of`, `differences` (`of`, `certificate`, `redis`). See the "
    "page "
    "[Prove reach](../how-to/prove-reach.md).";

}  // namespace

command report_command() {
    const auto how = std::make_shared<report_options>();
    return {
        .name = "report",
        .group = command_group::look,
        .summary = "Reach of an event, commune by commune.",
        .examples =
            "tocsin report crue-ouche-2026-11-23\n"
            "tocsin report crue-ouche-2026-11-23 --json\n"
            "tocsin report crue-ouche-2026-11-23 --department 21 --sort reach\n"
            "tocsin report crue-ouche-2026-11-23 --csv=excel\n"
            "tocsin report crue-ouche-2026-11-23 --certificate crue.html\n"
            "tocsin report crue-ouche-2026-11-23 --verify crue.html\n",
        .options =
            {
                option("EVENT", how->event, "The event's id").required(),
                option(
                    "--sort", how->sort,
                    "Order of the communes: by code, by name, or the largest number first")
                    .value("COLUMN")
                    .preset("insee")
                    .one_of(proof::sort_words()),
                option("--department", how->departments, "Only the communes of this department")
                    .value("CODE"),
                option("--csv", how->csv, "The communes as CSV: `plain`, or `excel` for a French spreadsheet")
                    .value("FORM")
                    .bare("plain")
                    .one_of({"plain", "excel"}),
                option(
                    "--certificate", how->certificate,
                    "Write a certificate to this file; `-`: standard output")
                    .value("FILE"),
                option("--verify", how->verify, "Check a certificate against Redis; `-`: standard input")
                    .value("FILE"),
            },
        .details = std::string(about),
        .run = [how](const common_options& common) { return report(common, *how); },
    };
}

}  // namespace tocsin::cli
