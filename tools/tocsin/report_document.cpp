#include "tools/tocsin/report_document.hpp"

#include "tools/tocsin/follow.hpp"

#include <utility>

namespace tocsin::cli {

namespace asio = boost::asio;
namespace json = boost::json;

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
    json::value document;
    out.report = report_of(std::move(event), *fields, &document);
    out.fields = std::move(*fields);
    if (auto* const ended = document.if_object()) {
        out.result = std::move(*ended);
    }
    co_return std::optional<stored_event>(std::move(out));
}

json::object report_document(const event_report& report, const territories& places) {
    json::object out = result_document(report, places);
    add_reach(out, report, places);
    return out;
}

}  // namespace tocsin::cli
