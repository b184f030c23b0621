#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/provider.hpp"
#include "providers/auth/es256.hpp"
#include "providers/common/token_slot.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>

namespace tocsin::auth {

/// What came of a provider calling our token bad.
enum class renewal : std::uint8_t {
    renewed,     ///< There is a new token: try again with it.
    not_needed,  ///< The request was written with an older token than today's: try again.
    too_young,   ///< The token is too young to have expired: something else is wrong, most likely this host's
                 ///< clock.
    failed,      ///< No new token could be made.
};

/// APNs' bearer token for one key: one for all threads and connections, made anew every 40 to 50
/// minutes.
///
/// Apple refuses tokens older than an hour, and connections that see a new one more often than every
/// 20 minutes; so nobody but this class makes one, and never per connection. A token that was signed before
/// this host's clock was set is replaced within a second or two, once a minute at most.
class provider_token {
public:
    /// `random_seed` spreads the renewals of many engines and keys over ten minutes.
    provider_token(
        es256_signer signer, std::string team_id, std::string key_id, const time_source& time,
        std::uint64_t random_seed);

    /// Who wants to send calls this before reading slot(). Cheap while the token is fresh: a load and
    /// a compare, and once a second a look at the time of day. The first call makes the first token.
    void keep_fresh(time_point now) noexcept {
        if (now.time_since_epoch().count() >= look_at_.load(std::memory_order_relaxed)) [[unlikely]] {
            look(now);
        }
    }
    /// Holds no token only if signing failed.
    [[nodiscard]] const token_slot& slot() const noexcept { return slot_; }

    /// A request written at `written_at` was accepted. A load and a compare but for a token's first.
    void accepted(time_point written_at) noexcept {
        if (!proven_.load(std::memory_order_relaxed) &&
            written_at.time_since_epoch().count() >= proves_from_.load(std::memory_order_relaxed)) {
            proven_.store(true, std::memory_order_relaxed);
        }
    }

    /// A request written at `written_at` was told that its token had expired, or is invalid. Renews at most
    /// once, however many requests are told so: a token that was accepted not before it is 20 minutes old,
    /// one that never was after a minute, and any at once if this host's clock was set since it was made.
    [[nodiscard]] renewal refresh_after_refusal(time_point written_at, time_point now);

    /// A connection was told that its token changed too often: the token before this one is used
    /// again for 20 minutes, as far as it is young enough, and no new one is made until then.
    /// True if there was one to go back to.
    bool too_many_updates(time_point now);

    [[nodiscard]] credential_state state() const;

private:
    using token_pointer = std::shared_ptr<const issued_token>;

    void look(time_point now) noexcept;
    void renew_if_due(time_point now);
    [[nodiscard]] bool mint(time_point now);
    [[nodiscard]] bool by_another_clock(const issued_token& token, time_point now) const noexcept;
    [[nodiscard]] bool clock_asks_for_another(time_point now) const noexcept;
    void set_renewal(time_point when) noexcept {
        renew_at_ = when;
        look_at_.store(when.time_since_epoch().count(), std::memory_order_relaxed);
    }

    const es256_signer signer_;
    const std::string team_id_;
    const std::string key_id_;
    const time_source& time_;

    token_slot slot_;
    std::atomic<duration::rep> look_at_{duration::min().count()};
    // Of the newest token: whether a provider has accepted it, and from when on requests carry it for sure.
    std::atomic<bool> proven_{false};
    std::atomic<duration::rep> proves_from_{duration::max().count()};

    mutable std::mutex mutex_;  // Guards what follows; taken by nobody who sends.
    std::minstd_rand random_;
    time_point renew_at_ = time_point::min();
    time_point last_step_ = time_point::min();  ///< When a token was made because the clock was set.
    token_pointer newest_;
    token_pointer previous_;
    bool fallen_back_ = false;
    bool failing_ = false;
};

}  // namespace tocsin::auth
