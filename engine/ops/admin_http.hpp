#pragma once

#include "engine/core/error.hpp"
#include "engine/ops/admin_message.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

namespace tocsin {

using admin_http_request = boost::beast::http::request<boost::beast::http::string_body>;
using admin_http_response = boost::beast::http::response<boost::beast::http::string_body>;

/// An answer as it goes out. `head`: without its body.
[[nodiscard]] admin_http_response to_http(
    admin_response answer, unsigned version, bool keep_alive, bool head);

/// What to answer to bytes that are no acceptable request; 0: nothing, the peer is gone or silent.
[[nodiscard]] unsigned status_of(error_code problem) noexcept;

/// What speaks against reading the body of a request with this header: RFC 9112, section 6.1. A coding that
/// we do not undo would leave its body to be read as the next request. 0: nothing does.
[[nodiscard]] unsigned status_of_framing(const boost::beast::http::request_header<>& header);

}  // namespace tocsin
