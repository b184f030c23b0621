#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

namespace tocsin {

/// What a provider holds against an app's credential, as told by its answers. Shared by all
/// threads; says "healthy" without a lock.
class credential_health {
public:
    /// True if this is news, and worth a line in the log.
    bool report(std::string problem);

    /// An answer came that only a good credential gets.
    void clear() noexcept {
        if (troubled_.load(std::memory_order_relaxed)) [[unlikely]] {
            forget();
        }
    }

    [[nodiscard]] std::optional<std::string> problem() const;

private:
    void forget() noexcept;

    std::atomic<bool> troubled_{false};
    mutable std::mutex mutex_;
    std::string problem_;
};

}  // namespace tocsin
