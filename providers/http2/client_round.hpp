#pragma once

#include "engine/core/clock.hpp"
#include "providers/http2/client.hpp"

#include <cstddef>
#include <vector>

namespace tocsin::http2 {

/// The clients of a pool, who take turns; somebody urgent goes first.
class client_round {
public:
    /// `most_of_one`: requests that one client may have open while it is not alone.
    explicit client_round(std::size_t most_of_one) noexcept : most_of_one_(most_of_one) {}

    void attach(client& who) { clients_.push_back({&who, false, false}); }
    void detach(const client& who);
    /// It may have something to send from the next begin() on: one that wakes itself while it is asked must
    /// neither be forgotten nor keep the loop busy.
    void wake(const client& who) noexcept;
    void begin() noexcept;

    /// Whose turn it is; null if nobody is ready.
    [[nodiscard]] client* next() const noexcept;
    /// Others come before it the next time.
    void had_its_turn(const client& who) noexcept;
    /// It has said that it has nothing.
    void done(const client& who) noexcept;
    /// Not in possession of what others need.
    [[nodiscard]] bool may_open_more(const client& who) const noexcept {
        return who.open_requests() < limit();
    }
    [[nodiscard]] bool anybody_ready() const noexcept;
    [[nodiscard]] std::size_t limit() const noexcept;

    /// What all of them together could send within that time.
    [[nodiscard]] std::size_t backlog(duration within) const noexcept;
    [[nodiscard]] bool anybody_urgent() const noexcept;

    void tell(const peer_word& said) const noexcept;
    void tell_dial_failed(const error_code& why) const noexcept;

private:
    struct attached {
        client* who;
        bool ready;  ///< It has not said "nothing" since it was last woken.
        bool woken;
    };

    std::vector<attached> clients_;
    std::size_t most_of_one_;
    std::size_t turn_ = 0;
};

}  // namespace tocsin::http2
