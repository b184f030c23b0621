#include "tools/tocsin/engine_conduct.hpp"

namespace tocsin::cli {

std::string_view engine_conduct(reaction what) noexcept {
    // No default: a new reaction must not compile until it has a sentence of its own.
    switch (what) {
        case reaction::accept: return "The device is counted accepted.";
        case reaction::drop_token: return "The device is counted dead, and removed from the store.";
        case reaction::doubt_token:
            return "The device is counted rejected, and kept; if many are answered so and none is accepted, "
                   "all that the app sends on this platform waits.";
        case reaction::retry_here:
        case reaction::retry_elsewhere:
            return "It is tried again later, and again, up to engine.max_attempts.";
        case reaction::postpone:
            return "It is tried again later, at no charge, until the event expires. No other device waits.";
        case reaction::refresh_credential: return "The credential is renewed, and it is tried again.";
        case reaction::pause_app:
            return "If several are answered so and none is accepted, all that the app sends on this platform "
                   "waits, until a try succeeds or after a reload.";
        case reaction::pause_quota: return "All that shares the quota waits until there is some again.";
        case reaction::reject_event:
            return "The event stops for this app and platform; the device is counted rejected, and kept.";
        case reaction::reject_push: return "The device is counted rejected, and kept.";
        case reaction::resend: return "It is sent again.";
        case reaction::unknown: return "It is sent again, and counted as a possible duplicate.";
    }
    return "";
}

}  // namespace tocsin::cli
