#include "engine/live/live_routes.hpp"

#include <memory>
#include <string>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;

constexpr std::size_t longest_event_id = 128;

class status_stream final : public admin_event_source {
public:
    /// `event`: one to be told of beside the state of everything; empty: none.
    status_stream(live_view& view, std::string event) noexcept : view_(view), event_(std::move(event)) {}

    asio::awaitable<std::shared_ptr<const std::string>> next() override {
        if (!event_.empty() && std::exchange(event_is_next_, false)) {
            if (auto detail = view_.followed(event_); detail != nullptr && detail != told_) {
                told_ = detail;
                co_return detail;
            }
        }
        const std::shared_ptr<const live_snapshot> state = co_await view_.after(seen_);
        if (state == nullptr) {
            co_return nullptr;
        }
        seen_ = state->number;
        event_is_next_ = true;
        co_return std::shared_ptr<const std::string>(state, &state->status_event);
    }

private:
    live_view& view_;
    std::string event_;
    std::uint64_t seen_ = 0;
    bool event_is_next_ = true;  ///< Whoever chose it should not wait a second.
    std::shared_ptr<const std::string> told_;
};

asio::awaitable<admin_response> answer_from(live_view& view, std::string live_snapshot::*document) {
    const std::shared_ptr<const live_snapshot> state = co_await view.current();
    if (state == nullptr) {
        co_return admin_error(503, "the engine is shutting down");
    }
    admin_response out;
    out.body = (*state).*document;
    co_return out;
}

asio::awaitable<admin_response> event_answer(live_view& view, std::string id, bool with_communes) {
    const auto found = co_await view.event(id, with_communes);
    if (found.has_error()) {
        co_return admin_error(503, "Redis did not answer: " + found.error().message());
    }
    if (*found == nullptr) {
        co_return admin_error(
            404, "no event \"" + id + "\" is known; what ended is kept for engine.event_retention");
    }
    admin_response out;
    out.body = **found;
    co_return out;
}

}  // namespace

void add_live_routes(admin_server& server, live_view& view) {
    server.route("GET", "/api/v1/status", admin_handler([&view](const admin_request&) {
                     return answer_from(view, &live_snapshot::status);
                 }));
    server.route("GET", "/api/v1/events", admin_handler([&view](const admin_request&) {
                     return answer_from(view, &live_snapshot::events);
                 }));
    server.route("GET", "/api/v1/events/", admin_handler([&view](const admin_request& request) {
                     const bool with_communes = request.parameter("communes").value_or("1") != "0";
                     return event_answer(view, std::string(request.rest), with_communes);
                 }));
    server.route("GET", "/api/v1/stream", [&view](const admin_request& request) {
        admin_response out;
        out.content_type = "text/event-stream; charset=utf-8";
        std::string event(request.parameter("event").value_or(""));
        if (event.size() > longest_event_id) {
            return admin_error(400, "no event has so long an id");
        }
        out.source = std::make_shared<status_stream>(view, std::move(event));
        return out;
    });
}

}  // namespace tocsin
