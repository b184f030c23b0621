#include "engine/delivery/verdict.hpp"

namespace tocsin {

std::string_view to_string(reaction value) noexcept {
    // No default: a new enumerator must not compile until it has a word of its own.
    switch (value) {
        case reaction::accept: return "accept";
        case reaction::drop_token: return "drop_token";
        case reaction::doubt_token: return "doubt_token";
        case reaction::retry_here: return "retry_here";
        case reaction::postpone: return "postpone";
        case reaction::retry_elsewhere: return "retry_elsewhere";
        case reaction::refresh_credential: return "refresh_credential";
        case reaction::pause_app: return "pause_app";
        case reaction::pause_quota: return "pause_quota";
        case reaction::reject_event: return "reject_event";
        case reaction::reject_push: return "reject_push";
        case reaction::resend: return "resend";
        case reaction::unknown: return "unknown";
    }
    return "unknown";
}

}  // namespace tocsin
