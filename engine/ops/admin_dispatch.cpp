#include "engine/ops/admin_dispatch.hpp"

#include "engine/core/clock.hpp"
#include "engine/runtime/deadline.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/system/system_error.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <exception>
#include <string_view>
#include <utility>

namespace tocsin {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

std::string_view view(beast::string_view text) noexcept {
    return {text.data(), text.size()};
}

}  // namespace

std::optional<admin_response> admin_dispatch::objection(const admin_http_request& message) const {
    const auto named = message.count(http::field::host);
    if (named > 1 || (named == 0 && message.version() >= 11)) {
        return admin_error(400, "a request has one Host field");
    }
    if (named == 1 && !hosts.accepts(view(message[http::field::host]))) {
        return admin_error(
            421, "this server is not called \"" + std::string(view(message[http::field::host])) +
                     "\": admin.hosts lists the names that it answers to");
    }
    return std::nullopt;
}

asio::awaitable<admin_dispatch::answered> admin_dispatch::answer(
    const admin_http_request& message, bool crowded) {
    answered out;
    if (auto refused = objection(message)) {
        out.response = std::move(*refused);
        co_return out;
    }
    const std::string_view sent_method = view(message.method_string());
    const auto target = boost::urls::parse_origin_form(
        boost::core::string_view(message.target().data(), message.target().size()));
    if (!target) {
        out.response = admin_error(400, "the request target is not a path");
        co_return out;
    }
    const std::string path = target->path();
    const std::string_view method = sent_method == "HEAD" ? "GET" : sent_method;
    const admin_router::match found = routes.find(method, path);
    if (found.allowed.empty()) {
        out.response = admin_error(404, "there is no " + path + " here");
        co_return out;
    }
    if (found.handler == nullptr) {
        out.response = admin_error(405, path + " takes " + found.allowed);
        out.allowed = found.allowed;
        co_return out;
    }
    if (method != "GET" && message.find(http::field::origin) != message.end()) {
        out.response = admin_error(403, "requests from web pages are not accepted");
        co_return out;
    }
    if (crowded && found.share == admin_share::ordinary) {
        out.response = admin_error(503, "too many requests are under way");
        co_return out;
    }
    admin_request request;
    request.method = method;
    request.path = path;
    request.rest = std::string_view(path).substr(found.prefix);
    const boost::core::string_view query = target->encoded_query();
    request.query = {query.data(), query.size()};
    request.content_type = view(message[http::field::content_type]);
    request.body = message.body();
    out.response = co_await handle(*found.handler, request);
    co_return out;
}

asio::awaitable<admin_response> admin_dispatch::handle(
    const admin_handler& handler, const admin_request& request) {
    const time_point deadline = clock::now() + timeout_;
    auto handled = co_await with_deadline(call(handler, request), deadline);
    if (handled.has_value()) {
        co_return std::move(*handled);
    }
    if (handled.error() == asio::error::timed_out) {
        co_return admin_error(504, "the engine took too long to answer");
    }
    co_return admin_error(503, "the engine is shutting down");
}

asio::awaitable<result<admin_response>> admin_dispatch::call(
    const admin_handler& handler, const admin_request& request) {
    try {
        auto answer = handler(request);
        co_return co_await std::move(answer);
    } catch (const boost::system::system_error& failure) {
        if (failure.code() == asio::error::operation_aborted) {
            co_return failure.code();  // Cut off by the deadline or by stop().
        }
        report(request, failure.what());
    } catch (const std::exception& failure) {
        report(request, failure.what());
    }
    co_return admin_error(500, "the request failed inside the engine; the log says why");
}

void admin_dispatch::report(const admin_request& request, const char* what) {
    log_.error("admin.handler_failed", {{"path", request.path}, {"problem", what}});
}

}  // namespace tocsin
