#pragma once

#include "engine/core/error.hpp"

#include <type_traits>

namespace tocsin::http2 {

/// Why a request has no answer, or why a connection ended.
enum class http2_errc {
    stream_refused = 1,   ///< RST_STREAM REFUSED_STREAM: the peer promises that it did nothing.
    going_away,           ///< GOAWAY: no new request fits, or this one was above the last id.
    ids_exhausted,        ///< The connection has used up its 2^30 stream ids.
    stream_reset,         ///< RST_STREAM with another code, before the answer was complete.
    enhance_your_calm,    ///< The peer says that we ask for too much.
    http_1_1_required,    ///< The peer (or a proxy) wants HTTP/1.1 for this request.
    malformed_answer,     ///< The answer breaks the rules of HTTP and was refused.
    protocol_violation,   ///< Bytes that are not HTTP/2; the connection is over.
    no_free_stream,       ///< Submitted without credit(): the caller's mistake.
    not_sent,             ///< The request could not be put into frames (fields too large).
    header_too_large,     ///< Larger than the peer says that it takes. Another of its servers may take it.
    deadline_exceeded,    ///< No answer in time.
    connection_silent,    ///< The peer did not answer a PING.
    connection_lost,      ///< The peer closed the connection.
    closed_here,          ///< We closed the connection.
    drain_timeout,        ///< The connection was being retired and the answer came too late.
    address_not_allowed,  ///< The host is at an address that must not be connected to.
    unknown_host,         ///< The host has no address.
};

[[nodiscard]] const boost::system::error_category& http2_category() noexcept;

[[nodiscard]] inline error_code make_error_code(http2_errc value) noexcept {
    return {static_cast<int>(value), http2_category()};
}

}  // namespace tocsin::http2

template <>
struct boost::system::is_error_code_enum<tocsin::http2::http2_errc> : std::true_type {};
