#pragma once

#include "engine/delivery/verdict.hpp"

namespace tocsin {

/// Whether an answer shows that the provider works with us: it took the push, or judged the push or its
/// device. A provider in trouble, and one that does not know our credential, answers too.
[[nodiscard]] constexpr bool shows_service(const verdict& what) noexcept {
    constexpr int first_server_error = 500;
    if (what.status >= first_server_error) {
        return false;
    }
    switch (what.action) {
        case reaction::accept:
        case reaction::drop_token:
        case reaction::doubt_token:
        case reaction::retry_here:
        case reaction::postpone:
        case reaction::reject_event:
        case reaction::reject_push: return true;
        case reaction::retry_elsewhere:
        case reaction::refresh_credential:
        case reaction::pause_app:
        case reaction::pause_quota:
        case reaction::resend:
        case reaction::unknown: return false;
    }
    return false;
}

}  // namespace tocsin
