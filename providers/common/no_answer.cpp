#include "providers/common/no_answer.hpp"

#include "providers/http2/error.hpp"

namespace tocsin {

verdict no_answer(const http2::failed_request& failed) noexcept {
    verdict out;  // Unknown: it may have been processed.
    switch (failed.why) {
        case http2::failure::not_processed:
            out.action = reaction::resend;
            out.reason = "NotProcessed";
            break;
        case http2::failure::unknown: out.reason = "ConnectionLost"; break;
        case http2::failure::timed_out: out.reason = "Timeout"; break;
    }
    if (failed.detail == http2::http2_errc::not_sent) {
        // What a server says that it takes is advisory, and another may say something else: charged tries on
        // other connections, then an end that blames nobody's token.
        out.action = reaction::retry_here;
        out.reason = "RequestTooLarge";
    }
    return out;
}

std::string_view explain_no_answer(std::string_view reason) noexcept {
    if (reason == "NotProcessed") {
        return "The connection ended before the provider took the request.";
    }
    if (reason == "ConnectionLost") {
        return "The connection was lost after the request was written: there was no answer, and the push may "
               "have been taken.";
    }
    if (reason == "Timeout") {
        return "The request was written, and no answer came in time: the push may have been taken.";
    }
    if (reason == "RequestTooLarge") {
        return "The request's header is larger than the provider says that it takes, and was not sent.";
    }
    return "There was no answer.";
}

}  // namespace tocsin
