#include "tools/tocsin/report_certificate.hpp"

#include "engine/core/json_members.hpp"
#include "engine/core/rfc3339.hpp"
#include "tools/proof/certificate_check.hpp"
#include "tools/tocsin/certificate_register.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/input_file.hpp"

#include <boost/json/array.hpp>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// A page of every commune of France has some 25 MB.
constexpr std::size_t largest_certificate = std::size_t{64} << 20U;

/// What the published result says of a commune wins over what the list of communes says now.
void prefer_published(std::vector<proof::reach_row>& rows, const json::object& result) {
    const json::object& communes = part_at(result, "communes");
    for (proof::reach_row& row : rows) {
        const json::object& published = part_at(communes, row.insee);
        for (const auto which : {proof::measure::population, proof::measure::accepted}) {
            if (const auto count =
                    count_at(published, proof::measure_names[static_cast<std::size_t>(which)])) {
                row.of(which) = count;
            }
        }
    }
}

proof::certificate_subject subject_of(const stored_event& event, const territories& places) {
    proof::certificate_subject out;
    out.event = event.report.event;
    out.result = event.result;
    const json::object document = report_document(event.report, places);
    out.rows = proof::reach_rows(document.at("communes").as_object(), places);
    prefer_published(out.rows, event.result);
    const auto content = content_of(event);
    if (content.has_error()) {
        return out;  // Damaged: what can be shown is the result.
    }
    if (content->notification) {
        out.title = content->notification->title;
        out.body = content->notification->body;
    }
    out.priority = content->priority;
    out.dry_run = content->mode == delivery_mode::dry_run;
    out.audience = proof::audience_in_french(content->audience, places);
    return out;
}

void expect_ended(const stored_event& event) {
    if (event.result.empty()) {
        throw command_end(
            exit_failed, "\"" + event.report.event + "\" has not ended: a certificate is made of its result");
    }
}

/// Whole or not at all: a reader never finds half a page under the file's name.
void write_whole(const std::string& file, const std::string& text) {
    const fs::path partial = file + ".part";
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    std::error_code ec;
    if (out) {
        fs::rename(partial, file, ec);
    }
    if (!out || ec) {
        std::error_code ignored;
        fs::remove(partial, ignored);
        throw command_end(exit_failed, "cannot write " + file);
    }
}

}  // namespace

int write_certificate(
    redis_session& redis, const common_options& common, const stored_event& event, const territories& places,
    const std::string& file) {
    expect_ended(event);
    const proof::certificate_subject subject = subject_of(event, places);
    const auto stamp = proof::stamp_of(subject, system_time_source().wall_now());
    const std::string page = proof::certificate_page(subject, stamp);
    if (file == "-") {
        print_document(page);
    } else {
        write_whole(file, page);
    }
    if (redis.attempt(note_certificate(redis, subject.event, proof::certificate_digest(page), stamp.as_of))
            .has_error()) {
        complain(
            "Redis does not keep that this certificate was made: it can be checked only while the event is "
            "kept");
    }
    if (file == "-") {
        return exit_ok;
    }
    const std::string digest = proof::result_digest(subject.result);
    if (common.json) {
        print_json(json::object{
            {"event", subject.event},
            {"file", file},
            {"sha256", digest},
            {"as_of", stamp.as_of.time_since_epoch().count()}});
    } else {
        print(fmt::format(
            "{}: certificate of {}, SHA-256 of its result {}", shown(file), shown(subject.event), digest));
    }
    return exit_ok;
}

int verify_certificate(
    const common_options& common, const stored_event& event, const territories& places,
    const std::string& file) {
    expect_ended(event);
    const std::string text = read_input(file, exit_usage, largest_certificate);
    const proof::certificate_subject subject = subject_of(event, places);
    const auto differences = proof::check_certificate(text, subject);
    const std::string digest = proof::result_digest(subject.result);
    const auto stamp = proof::stamp_in(text);
    if (common.json) {
        json::array listed;
        for (const auto& one : differences) {
            listed.push_back(
                json::object{{"of", one.of}, {"certificate", one.shown}, {"redis", one.expected}});
        }
        print_json(json::object{
            {"event", subject.event},
            {"valid", differences.empty()},
            {"sha256", digest},
            {"as_of", stamp ? json::value(stamp->as_of.time_since_epoch().count()) : json::value(nullptr)},
            {"differences", std::move(listed)}});
    } else if (differences.empty()) {
        print(fmt::format(
            "{}: true of {} as of {}, SHA-256 of its result {}", shown(file), shown(subject.event),
            format_rfc3339(stamp->as_of), digest));
    }
    if (differences.empty()) {
        return exit_ok;
    }
    for (const auto& one : differences) {
        complain(fmt::format(
            "{}: {}: the certificate says \"{}\", Redis says \"{}\"", file, one.of, one.shown, one.expected));
    }
    return exit_failed;
}

int verify_remembered(
    redis_session& redis, const common_options& common, const std::string& event, const std::string& file) {
    const std::string text = read_input(file, exit_usage, largest_certificate);
    const bool is_one = proof::stamp_in(text).has_value();
    const auto made = redis.run(find_certificate(redis, event, proof::certificate_digest(text)));
    const bool valid = is_one && made.this_one;
    if (common.json) {
        // Without a digest to compare with, the file is neither true nor false.
        const bool unknown = is_one && made.how_many == 0;
        print_json(json::object{
            {"event", event},
            {"valid", unknown ? json::value(nullptr) : json::value(valid)},
            {"sha256", nullptr},
            {"as_of", valid ? json::value(made.this_one->time_since_epoch().count()) : json::value(nullptr)},
            {"differences", json::array()}});
    } else if (valid) {
        print(fmt::format(
            "{}: the certificate of {} that was made as of {}, unchanged. The event itself is no longer "
            "kept.",
            shown(file), shown(event), format_rfc3339(*made.this_one)));
    }
    if (valid) {
        return exit_ok;
    }
    // Only a certificate proves that there was such an event.
    const std::string known =
        made.how_many == 0
            ? fmt::format(
                  "Redis knows no event \"{}\", and no certificate of one: events are deleted "
                  "engine.event_retention after their end, digests of certificates after a year",
                  event)
            : fmt::format("the event \"{}\" is no longer kept", event);
    std::string why = "If you have kept the result, compare its SHA-256 with the one on the page";
    if (!is_one) {
        why = "The file is not a certificate that tocsin report has made";
    } else if (made.how_many != 0) {
        why = fmt::format(
            "{} made of it, and this file is none of them: it was changed, or made elsewhere",
            made.how_many == 1 ? "One certificate was"
                               : std::to_string(made.how_many) + " certificates were");
    }
    complain(fmt::format("{}: {}. {}", file, known, why));
    return exit_failed;
}

}  // namespace tocsin::cli
