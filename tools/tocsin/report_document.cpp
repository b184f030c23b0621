#include "tools/tocsin/report_document.hpp"

#include "engine/event/event_parser.hpp"
#include "engine/plan/ledger_names.hpp"
#include "providers/known_platforms.hpp"

#include <boost/json/parse.hpp>

#include <chrono>
#include <string_view>
#include <utility>

namespace tocsin::cli {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

void take_result(stored_event& out, const std::string& text) {
    error_code ec;
    json::value document = json::parse(text, ec);
    if (!document.is_object()) {
        return;
    }
    out.result = std::move(document.get_object());
    if (const auto* const at = out.result.if_contains("finished_at"); at != nullptr && at->is_int64()) {
        out.report.finished_at = at->as_int64();
    }
    // Between the writing of the result and the last tidying up the ledger still says "running".
    if (const auto* const how = out.result.if_contains("state"); how != nullptr && how->is_string()) {
        out.report.state = parse_event_state(std::string_view(how->get_string()));
    }
}

}  // namespace

asio::awaitable<result<std::optional<stored_event>>> read_stored_event(
    redis_session& redis, std::string event) {
    stored_event out;
    ledger book(redis.redis(), redis.keys(), "");
    auto fields = co_await book.read(event);
    if (fields.has_error()) {
        co_return fields.error();
    }
    if (fields->empty()) {
        co_return std::optional<stored_event>();
    }
    out.report = read_report(std::move(event), *fields);
    out.fields = std::move(*fields);
    if (const auto stored = out.fields.find("result"); stored != out.fields.end()) {
        take_result(out, stored->second);
    }
    co_return std::optional<stored_event>(std::move(out));
}

parsed<publish_event> content_of(const stored_event& event) {
    const auto field = [&](std::string_view name) {
        const auto found = event.fields.find(name);
        return found == event.fields.end() ? std::string_view() : std::string_view(found->second);
    };
    const wall_time accepted_at{std::chrono::milliseconds(event.report.accepted_at)};
    return parse_event(
        known_platforms(), field(ledger_names::document), field("entry"), event_limits{}, accepted_at);
}

json::object report_document(const event_report& report, const territories& places) {
    json::object out = result_document(report, places);
    add_reach(out, report, places);
    return out;
}

}  // namespace tocsin::cli
