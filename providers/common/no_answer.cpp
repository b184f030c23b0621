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

}  // namespace tocsin
