#include "providers/common/no_answer.hpp"

#include "providers/http2/error.hpp"

#include <array>

namespace tocsin {
namespace {

constexpr std::string_view not_processed = "NotProcessed";
constexpr std::string_view connection_lost = "ConnectionLost";
constexpr std::string_view timeout = "Timeout";
constexpr std::string_view request_too_large = "RequestTooLarge";
constexpr std::array reasons{not_processed, connection_lost, timeout, request_too_large};

}  // namespace

verdict no_answer(const http2::failed_request& failed) noexcept {
    verdict out;  // Unknown: it may have been processed.
    switch (failed.why) {
        case http2::failure::not_processed:
            out.action = reaction::resend;
            out.reason = not_processed;
            break;
        case http2::failure::unknown:
            out.reason = connection_lost;
            out.cut = failed.detail == http2::http2_errc::connection_lost;
            break;
        case http2::failure::timed_out: out.reason = timeout; break;
    }
    if (failed.detail == http2::http2_errc::not_sent ||
        failed.detail == http2::http2_errc::header_too_large) {
        // What a server says that it takes is advisory, and another may say something else: charged tries on
        // other connections, then an end that blames nobody's token.
        out.action = reaction::retry_here;
        out.reason = request_too_large;
    }
    return out;
}

std::span<const std::string_view> no_answer_reasons() noexcept {
    return reasons;
}

std::string_view explain_no_answer(std::string_view reason) noexcept {
    if (reason == not_processed) {
        return "The connection ended before the provider took the request.";
    }
    if (reason == connection_lost) {
        return "The connection was lost after the request was written: there was no answer, and the push may "
               "have been taken.";
    }
    if (reason == timeout) {
        return "The request was written, and no answer came in time: the push may have been taken.";
    }
    if (reason == request_too_large) {
        return "The request's header is larger than the provider says that it takes, and was not sent.";
    }
    return "There was no answer.";
}

}  // namespace tocsin
