#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/page.hpp"
#include "engine/delivery/prune_breaker.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// Pushes whose answer calls their token bad in words that a mistake of ours brings about as well: kept,
/// ended by nobody, until it is clear whether such answers can be believed. After a time in which they
/// could not, the credential is tried with a handful of pushes. Owns no push and holds no clock.
class token_doubt {
public:
    explicit token_doubt(prune_breaker::limits limits) noexcept : breaker_(limits) {}

    struct trial {
        push* item;
        std::string reason;
    };

    /// A push was accepted: the credential works.
    void accepted(time_point now) noexcept {
        breaker_.accepted(now);
        probing_ = false;
        trips_ = 0;
    }
    void keep(push& item, std::string_view reason, time_point now);

    /// Such answers are not to be believed, whatever else their pages hear.
    [[nodiscard]] bool implausible(std::size_t in_flight) const noexcept {
        return breaker_.implausible() || (probing_ && probes_left_ == 0 && in_flight == 0);
    }
    /// They are not to be believed while nothing speaks for the credential.
    [[nodiscard]] bool in_doubt() const noexcept { return probing_ || breaker_.implausible(); }

    /// How long nothing is to be sent; then a handful is, until one is accepted.
    [[nodiscard]] duration trip() noexcept;
    [[nodiscard]] bool may_send() const noexcept { return !probing_ || probes_left_ != 0; }
    void sent() noexcept { probes_left_ -= probing_ ? 1 : 0; }
    /// A handful that ended without a verdict on the credential is followed by another.
    void look(std::size_t in_flight) noexcept;

    /// Somebody has corrected something: as if nothing had been heard. Keeps what is kept.
    void forget() noexcept;

    /// Hands back what was kept, of all pages or of one; it is no longer on trial then.
    [[nodiscard]] std::vector<trial> release();
    [[nodiscard]] std::vector<trial> release(const page& of);
    [[nodiscard]] std::size_t kept() const noexcept { return kept_.size(); }
    /// The provider's word about what was kept last; empty if nothing is. Lives until it is released.
    [[nodiscard]] std::string_view last_reason() const noexcept {
        return kept_.empty() ? std::string_view() : std::string_view(kept_.back().reason);
    }

private:
    prune_breaker breaker_;
    std::vector<trial> kept_;
    std::uint32_t trips_ = 0;      ///< Since a push was last accepted.
    std::size_t probes_left_ = 0;  ///< While the credential is being tried: what may still go out.
    bool probing_ = false;
};

}  // namespace tocsin
