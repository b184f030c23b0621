#include "providers/http2/dial_gate.hpp"

namespace tocsin::http2 {

dial_gate::pass dial_gate::enter(std::string_view host, std::function<void()> again) {
    auto at = hosts_.find(host);
    const std::size_t there = at == hosts_.end() ? 0 : at->second;
    if (there >= most_of_a_host_ || (there != 0 && all_ >= most_)) {
        waiting_.push_back(std::move(again));
        return nullptr;
    }
    if (there == 0) {
        at = hosts_.emplace(host, 0).first;
    }
    ++at->second;
    ++all_;
    return {this, [self = shared_from_this(), at](void*) { self->leave(at); }};
}

void dial_gate::leave(dialling::iterator host) noexcept {
    --all_;
    if (--host->second == 0) {
        hosts_.erase(host);
    }
    // All of them: who is told may have no more need of it. Each waits once more if it comes too late.
    for (const auto& again : std::exchange(waiting_, {})) {
        again();
    }
}

}  // namespace tocsin::http2
