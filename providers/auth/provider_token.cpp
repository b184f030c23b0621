#include "providers/auth/provider_token.hpp"

#include "providers/auth/jwt.hpp"
#include "providers/common/signing_moment.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace tocsin::auth {
namespace {

using namespace std::chrono_literals;

constexpr auto renewal_age = 40min;  // Plus up to renewal_spread.
constexpr auto renewal_spread = 10min;
constexpr auto least_interval = 20min;  // Apple: TooManyProviderTokenUpdates below it.
constexpr auto oldest_usable = 55min;   // Apple: ExpiredProviderToken from 60 minutes on.
constexpr auto lifetime = 60min;
constexpr auto after_failure = 30s;
// A request is written some time after it took its token; an answer about it must not be read as
// one about the token that came in between.
constexpr auto hand_over = 5s;
// A clock that is set again and again, and a token that nobody accepts, are no reason to sign at every push.
constexpr auto between_attempts = 1min;

}  // namespace

provider_token::provider_token(
    es256_signer signer, std::string team_id, std::string key_id, const time_source& time,
    std::uint64_t random_seed)
    : signer_(std::move(signer)),
      team_id_(std::move(team_id)),
      key_id_(std::move(key_id)),
      time_(time),
      random_(static_cast<std::minstd_rand::result_type>(random_seed ^ (random_seed >> 32U))) {}

bool provider_token::mint(time_point now) {
    const wall_time issued_at = time_.wall_now();
    auto jwt = make_apns_token(signer_, team_id_, key_id_, issued_at);
    failing_ = jwt.has_error();
    if (failing_) {
        set_renewal(now + after_failure);
        return false;
    }
    if (newest_ != nullptr && by_another_clock(*newest_, now)) {
        last_step_ = now;
    }
    auto token = std::make_shared<issued_token>();
    token->authorization = "bearer " + *jwt;
    token->issued_at = issued_at;
    token->valid_from = now;
    token->expires_at = issued_at + lifetime;
    previous_ = std::exchange(newest_, std::move(token));
    fallen_back_ = false;
    std::uniform_int_distribution<std::int64_t> spread(0, std::chrono::milliseconds(renewal_spread).count());
    set_renewal(now + renewal_age + std::chrono::milliseconds(spread(random_)));
    proves_from_.store((now + hand_over).time_since_epoch().count(), std::memory_order_relaxed);
    proven_.store(false, std::memory_order_relaxed);
    slot_.store(newest_);
    return true;
}

bool provider_token::by_another_clock(const issued_token& token, time_point now) const noexcept {
    return clock_was_set({token.valid_from, token.issued_at}, now, time_.wall_now());
}

bool provider_token::clock_asks_for_another(time_point now) const noexcept {
    const bool once_a_minute = last_step_ == time_point::min() || now - last_step_ >= between_attempts;
    return newest_ != nullptr && once_a_minute && by_another_clock(*newest_, now);
}

void provider_token::look(time_point now) noexcept {
    try {
        const std::scoped_lock lock(mutex_);
        if (now.time_since_epoch().count() < look_at_.load(std::memory_order_relaxed)) {
            return;  // Another thread was faster.
        }
        if (now >= renew_at_) {
            renew_if_due(now);
        } else if (clock_asks_for_another(now)) {
            static_cast<void>(mint(now));
        }
        const time_point next = std::min(renew_at_, now + clock_look_interval);
        look_at_.store(next.time_since_epoch().count(), std::memory_order_relaxed);
    } catch (const std::exception&) {
        set_renewal(now + after_failure);
    }
}

void provider_token::renew_if_due(time_point now) {
    if (fallen_back_ && now - newest_->valid_from < renewal_age) {
        // The time of the older token is up, and the one that was refused for coming too early has aged
        // enough.
        fallen_back_ = false;
        set_renewal(newest_->valid_from + renewal_age);
        slot_.store(newest_);
        return;
    }
    // On failure the token there is stays: it is good for ten more minutes.
    static_cast<void>(mint(now));
}

renewal provider_token::refresh_after_refusal(time_point written_at, time_point now) {
    const std::scoped_lock lock(mutex_);
    if (newest_ == nullptr) {
        return mint(now) ? renewal::renewed : renewal::failed;
    }
    if (fallen_back_) {
        // What expired is the older token; the newest is the remedy.
        fallen_back_ = false;
        set_renewal(newest_->valid_from + renewal_age);
        slot_.store(newest_);
        return renewal::renewed;
    }
    if (previous_ != nullptr && written_at < newest_->valid_from + hand_over) {
        return renewal::not_needed;
    }
    const bool proven = proven_.load(std::memory_order_relaxed);
    const auto least_age = proven ? duration(least_interval) : duration(between_attempts);
    if (now - newest_->valid_from < least_age && !clock_asks_for_another(now)) {
        return renewal::too_young;
    }
    return mint(now) ? renewal::renewed : renewal::failed;
}

bool provider_token::too_many_updates(time_point now) {
    const std::scoped_lock lock(mutex_);
    if (newest_ == nullptr || fallen_back_) {
        return fallen_back_;
    }
    const bool usable = previous_ != nullptr && now - previous_->valid_from < oldest_usable &&
                        !by_another_clock(*previous_, now);
    if (usable) {
        fallen_back_ = true;
        set_renewal(std::min(now + least_interval, previous_->valid_from + oldest_usable));
        slot_.store(previous_);
        return true;
    }
    // Nothing to go back to; at least make no third one soon.
    set_renewal(std::clamp(
        now + least_interval, newest_->valid_from + renewal_age, newest_->valid_from + oldest_usable));
    return false;
}

credential_state provider_token::state() const {
    const std::scoped_lock lock(mutex_);
    credential_state out;
    if (const auto token = slot_.load()) {
        out.issued_at = token->issued_at;
        out.expires_at = token->expires_at;
    }
    if (failing_) {
        out.usable = out.expires_at && *out.expires_at > time_.wall_now();
        out.problem = out.usable ? "" : "the APNs key " + key_id_ + " cannot sign a token";
    }
    return out;
}

}  // namespace tocsin::auth
