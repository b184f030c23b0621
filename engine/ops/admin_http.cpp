#include "engine/ops/admin_http.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/status.hpp>

#include <utility>

namespace tocsin {

namespace beast = boost::beast;
namespace http = boost::beast::http;

admin_http_response to_http(admin_response answer, unsigned version, bool keep_alive, bool head) {
    admin_http_response out(http::int_to_status(answer.status), version);
    out.result(answer.status);
    out.set(http::field::content_type, answer.content_type);
    out.set(http::field::cache_control, "no-store");
    out.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : answer.headers) {
        out.set(name, value);
    }
    out.keep_alive(keep_alive);
    out.content_length(answer.body.size());
    if (!head) {
        out.body() = std::move(answer.body);
    }
    return out;
}

/// What to answer to bytes that are no acceptable request; 0: nothing, the peer is gone or silent.
unsigned status_of(error_code problem) noexcept {
    if (problem == http::error::header_limit) {
        return 431;
    }
    if (problem == http::error::body_limit) {
        return 413;
    }
    if (problem == http::error::end_of_stream || problem == http::error::partial_message) {
        return 0;
    }
    return problem.category() == http::make_error_code(http::error::bad_method).category() ? 400 : 0;
}

unsigned status_of_framing(const http::request_header<>& header) {
    const auto coded = header.count(http::field::transfer_encoding);
    if (coded == 0) {
        return 0;
    }
    if (header.version() < 11 || header.count(http::field::content_length) != 0) {
        return 400;
    }
    return coded == 1 && beast::iequals(header[http::field::transfer_encoding], "chunked") ? 0 : 501;
}

}  // namespace tocsin
