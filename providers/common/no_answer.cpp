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
        // It would not fit into a frame the next time either.
        out.action = reaction::reject_push;
        out.reason = "RequestTooLarge";
    }
    return out;
}

}  // namespace tocsin
