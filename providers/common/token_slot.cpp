#include "providers/common/token_slot.hpp"

#include <utility>

namespace tocsin {

std::shared_ptr<const issued_token> token_slot::load() const {
    const std::scoped_lock lock(mutex_);
    return token_;
}

void token_slot::store(std::shared_ptr<const issued_token> token) {
    {
        const std::scoped_lock lock(mutex_);
        std::swap(token_, token);
    }
    // After the token: who sees the new number finds the new token.
    generation_.fetch_add(1, std::memory_order_release);
}

const issued_token* token_cache::get(const token_slot& slot) {
    if (const std::uint64_t now = slot.generation(); now != generation_) {
        // The number is read before the token: a store in between is seen at the next call.
        generation_ = now;
        held_ = slot.load();
    }
    return held_.get();
}

}  // namespace tocsin
