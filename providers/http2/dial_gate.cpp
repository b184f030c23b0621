#include "providers/http2/dial_gate.hpp"

namespace tocsin::http2 {

dial_gate::pass dial_gate::enter(std::function<void()> again) {
    if (free_ == 0) {
        waiting_.push_back(std::move(again));
        return nullptr;
    }
    --free_;
    return {this, [self = shared_from_this()](void*) { self->leave(); }};
}

void dial_gate::leave() noexcept {
    ++free_;
    // All of them: who is told may have no more need of it. Each waits once more if it comes too late.
    for (const auto& again : std::exchange(waiting_, {})) {
        again();
    }
}

}  // namespace tocsin::http2
