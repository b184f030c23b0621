#include "tools/tocsin/report_document.hpp"

#include "engine/core/json_members.hpp"
#include "engine/event/event_parser.hpp"
#include "engine/plan/ledger_names.hpp"
#include "providers/known_platforms.hpp"

#include <chrono>
#include <string_view>
#include <utility>

namespace tocsin::cli {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

void take_result(stored_event& out) {
    out.result = parse_object(out.field("result")).value_or(json::object());
    if (const auto at = integer_at(out.result, "finished_at")) {
        out.report.finished_at = *at;
    }
    // Between the writing of the result and the last tidying up the ledger still says "running".
    if (const std::string_view state = text_at(out.result, "state"); !state.empty()) {
        out.report.state = parse_event_state(state);
    }
}

}  // namespace

std::string_view stored_event::field(std::string_view name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

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
    take_result(out);
    co_return std::optional<stored_event>(std::move(out));
}

parsed<publish_event> content_of(const stored_event& event) {
    const wall_time accepted_at{std::chrono::milliseconds(event.report.accepted_at)};
    return parse_event(
        known_platforms(), event.field(ledger_names::document), event.field("entry"), event_limits{},
        accepted_at);
}

json::object report_document(const event_report& report, const territories& places) {
    json::object out = result_document(report, places);
    add_reach(out, report, places);
    return out;
}

}  // namespace tocsin::cli
