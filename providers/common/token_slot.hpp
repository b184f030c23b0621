#pragma once

#include "engine/core/clock.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace tocsin {

/// A bearer token, ready to be sent. Immutable, shared by all threads.
struct issued_token {
    std::string authorization;  ///< The value of the field: "bearer …".
    wall_time issued_at{};      ///< By the clock that the provider sees.
    time_point valid_from{};    ///< The same instant on the clock that never jumps.
    std::optional<wall_time> expires_at;
};

/// The token that requests carry now: replaced once in a while, read by every thread.
///
/// A mutex and not std::atomic<shared_ptr>: libstdc++ 12 implements that with a lock of its own,
/// which thread sanitizers do not understand. Readers do not come here per request: they keep a
/// token_cache each, which looks at one atomic number.
class token_slot {
public:
    [[nodiscard]] std::shared_ptr<const issued_token> load() const;
    void store(std::shared_ptr<const issued_token> token);
    [[nodiscard]] std::uint64_t generation() const noexcept {
        return generation_.load(std::memory_order_acquire);
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const issued_token> token_;
    std::atomic<std::uint64_t> generation_{0};
};

/// One thread's hold on the token of a slot: a load and a compare per use, no lock.
class token_cache {
public:
    /// Null if there is no token. The token stays alive until the next call.
    [[nodiscard]] const issued_token* get(const token_slot& slot);

private:
    std::shared_ptr<const issued_token> held_;
    std::uint64_t generation_ = 0;
};

}  // namespace tocsin
