#include "providers/common/no_answer.hpp"

namespace tocsin {

verdict no_answer(http2::failure why) noexcept {
    verdict out;  // Unknown: it may have been processed.
    switch (why) {
        case http2::failure::not_processed:
            out.action = reaction::resend;
            out.reason = "NotProcessed";
            break;
        case http2::failure::unknown: out.reason = "ConnectionLost"; break;
        case http2::failure::timed_out: out.reason = "Timeout"; break;
    }
    return out;
}

std::string_view explain_no_answer(std::string_view reason) noexcept {
    if (reason == "NotProcessed") {
        return "The connection ended before the provider took the request.";
    }
    if (reason == "ConnectionLost") {
        return "The connection was lost after the request was written: there was no answer, and the push may "
               "have "
               "been taken.";
    }
    if (reason == "Timeout") {
        return "The request was written, and no answer came in time: the push may have been taken.";
    }
    return "There was no answer.";
}

}  // namespace tocsin
