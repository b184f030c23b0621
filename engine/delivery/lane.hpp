#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/bound_account.hpp"
#include "engine/delivery/disposition.hpp"
#include "engine/delivery/forgotten_devices.hpp"
#include "engine/delivery/lane_numbers.hpp"
#include "engine/delivery/lane_pause.hpp"
#include "engine/delivery/lane_trust.hpp"
#include "engine/delivery/page.hpp"
#include "engine/delivery/probe_turns.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/delivery/quarantine.hpp"
#include "engine/delivery/retry_policy.hpp"
#include "engine/delivery/shared_rate.hpp"
#include "engine/delivery/waiting_line.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/lane_bound.hpp"
#include "engine/plan/shard.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace tocsin {

struct lane_settings {
    std::uint64_t rate = 0;  ///< Pushes per second of this target over all lanes; 0: no limit of ours.
    std::size_t max_attempts = 5;
    retry_policy retries;
    /// A retry that is due sooner waits in memory, a later one in Redis.
    std::chrono::milliseconds longest_wait_in_memory{2'000};
};

/// What a lane tells its owner. Called from inside of the lane's functions.
class lane_owner {
public:
    /// The last push of a page has ended. Must not destroy the page before it returns.
    virtual void page_done(page& which) = 0;
    /// page::nearly_done() has become true of one.
    virtual void page_nearly_done() = 0;
    /// To be answered, later, with slice_granted() or slice_failed().
    virtual void slice_wanted(const slice_question& what) = 0;
    /// next_look() has come nearer.
    virtual void look_at(time_point when) = 0;
    /// After lane::hungry() has said no: it is worth asking again.
    virtual void hungry() = 0;
    /// The provider says that the quota is used up for so long.
    virtual void quota_used_up(std::chrono::milliseconds rest) = 0;

protected:
    ~lane_owner() = default;
};

/// The waiting line of one app on one platform on one thread, in front of its limiter: what stands
/// between the pages that were read and the connections that send them.
///
/// Holds no timer and does no I/O: it says when it wants to be looked at again (next_look()), and
/// tick() does what is due then. Not thread-safe. What happens to a push, one after another, is here; how
/// each step decides is in the parts that it is made of.
class lane final : public push_source {
public:
    lane(
        target which, const lane_settings& how, const time_source& time, logger& log, metrics_shard& metrics,
        std::uint64_t seed, lane_owner& owner);

    /// Puts the pushes of a page in line.
    void add(page& what, priority urgency);
    /// The same for the page of an event that is spread: each push from a moment of its own on.
    void add_spread(page& what, time_point from, time_point until);

    /// Whether it is time to read another page of that urgency: what goes before it will not last much
    /// longer. What is read earlier than that only stands in the way of what comes next. If not,
    /// lane_owner::hungry() says when it is.
    [[nodiscard]] bool hungry(priority urgency) noexcept;

    /// So many devices more, or fewer, are on pages that are yet to be read.
    void count_unread(std::size_t more, std::size_t fewer) noexcept { unread_ += more - fewer; }
    /// A page that was guessed to hold so many devices holds `found`: so many of a commune follow this app.
    void count_found(std::size_t guessed, std::size_t found) noexcept {
        guessed_ = guessed_ / 2 + guessed;
        found_ = found_ / 2 + found;
    }
    /// Something is coming, and in a hurry, though nobody knows yet how much.
    void expect(time_point until) noexcept { expected_until_ = until; }

    // push_source
    [[nodiscard]] push* take(time_point now) noexcept override;
    [[nodiscard]] bool urgent() const noexcept override { return line_.critical() != 0; }
    [[nodiscard]] bool wanted(const push& item, time_point now) const noexcept override {
        return !over(item, now);
    }
    [[nodiscard]] std::size_t backlog(duration within) const noexcept override;
    void settle(push& item, const verdict& what, time_point now) noexcept override {
        answered(item, what, now, false);
    }

    void refuse_credential(std::string_view reason, time_point now) noexcept override;

    /// settle(); `superseded`: the push was sent with a credential that has been replaced.
    void answered(push& item, const verdict& what, time_point now, bool superseded) noexcept;

    /// Moves what is due and ends what has expired. True if there may be something to take.
    bool tick(time_point now);
    /// When tick() is worth calling again; time_point::max(): not before something else happens.
    [[nodiscard]] time_point next_look() const noexcept;

    /// A device that was taken out of the store: whatever waits for it is not sent.
    void forget(std::string_view token, time_point now) { forgotten_.add(token, now); }
    /// Ends at once whatever waits and whose event is over.
    void sweep(time_point now);

    void slice_granted(const slice_question& asked, const quota_slice& what, time_point now) {
        rate_.granted(asked, what, now);
    }
    void slice_failed(const slice_question& asked, time_point now) { rate_.failed(asked, now); }

    /// Hands nothing out any more; what waits is parked in Redis, due at once.
    void stop(time_point now);
    /// After stop(), and after the channel has gone: gives up on the answer to `item`, if it is
    /// still missing. It may have reached its device, and is parked as one that did.
    void abandon(push& item);
    /// Another limit, after a reload; 0: none of ours.
    void set_rate(std::uint64_t rate);
    /// Pushes per second of this target over all lanes and engines; 0: no limit of ours.
    [[nodiscard]] std::uint64_t rate() const noexcept { return rate_.rate(); }
    /// The credential works again (reload): ends a pause for one that did not.
    void resume() noexcept;
    /// An operator holds this target, or lets it go.
    void set_held(bool held) noexcept;
    /// Some lane of this target has heard that its quota is used up until then.
    void hold_quota(time_point until) noexcept;

    [[nodiscard]] lane_bound bound(time_point now) const noexcept;
    /// What the lane cannot see itself: whether all streams and windows of its connections are in use, and
    /// whether its thread has work all the time. To be told some ten times a second or oftener.
    void observe(bool streams_used_up, bool thread_busy, time_point now);
    /// And whether the provider has a credential to send with, and a connection to send over: what expires
    /// for want of them says so.
    void observe_provider(bool credential_usable, bool connected, time_point now);
    /// A page begins to be read, and has been read. From the first on the page is told what held it up.
    void begin_reading(page& what, time_point now);
    void end_reading(time_point now);
    /// The page has ended, whether it ever stood in line or not: tells it what held it up.
    void close_account(page& of, time_point now);
    [[nodiscard]] const bound_account& account() const noexcept { return account_; }

    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] std::size_t waiting() const noexcept { return line_.waiting(); }
    /// Why nothing is handed out, for people; empty while it is.
    [[nodiscard]] const std::string& paused_because() const noexcept;
    [[nodiscard]] const target& which() const noexcept { return which_; }

private:
    /// One that has stood in line before goes to its head; unless it goes behind all others, so that they
    /// have a turn.
    void enqueue(push& item, bool behind = false) noexcept;
    void enqueue_later(push& item, time_point due) noexcept;
    struct ending {
        outcome how;
        std::string_view reason;
    };
    /// How a push ends without being sent, because its event is over or its device was forgotten.
    [[nodiscard]] std::optional<ending> over(const push& item, time_point now) const noexcept;
    [[nodiscard]] ending expiry(time_point now) const noexcept;
    [[nodiscard]] push* next_to_send(time_point now) noexcept;
    /// Ends `item` if it is over; true if it was.
    bool end_if_over(push& item, time_point now) noexcept;
    void finish(push& item, outcome how, std::string_view reason) noexcept;
    void after_end(page& of) noexcept;
    void park(push& item, std::chrono::milliseconds rest) noexcept;

    [[nodiscard]] attempt_facts facts_of(const push& item, time_point now, bool superseded) const noexcept;
    [[nodiscard]] lane_facts facts_for(bool sandbox, std::string_view token, time_point now) const noexcept;
    void carry_out(push& item, const verdict& what, const disposition& decided, time_point now) noexcept;
    void end(push& item, outcome how, const verdict& what, time_point now) noexcept;
    void accept(push& item, time_point now) noexcept;
    void refuse_message(push& item, const verdict& what) noexcept;
    void note(const push& item, const verdict& what, const disposition& decided, time_point now) noexcept;
    void end_pause(time_point now) noexcept;
    void begin_pause(const disposition& decided, const verdict& what, time_point now) noexcept;
    void judge(const page& of, time_point now) noexcept;
    void acquit() noexcept;

    /// Asks for more of the rate in good time.
    void want_slices(time_point now) noexcept;
    [[nodiscard]] std::size_t enough() const noexcept;
    void tell_if_hungry() noexcept;
    void keep_account(lane_bound by, time_point now);

    target which_;
    lane_settings how_;
    const time_source& time_;
    logger& log_;
    std::minstd_rand random_;
    lane_owner& owner_;

    waiting_line line_;
    shared_rate rate_;
    lane_pause pause_;
    probe_turns probes_;
    retry_budget retry_budget_;
    lane_trust trust_;
    quarantine quarantine_;
    forgotten_devices forgotten_;
    bound_account account_;
    lane_numbers numbers_;

    std::size_t in_flight_ = 0;
    std::size_t unread_ = 0;
    // Of the last pages that were read, the newest counting most.
    std::size_t guessed_ = 0;
    std::size_t found_ = 0;
    time_point expected_until_{};
    /// From our clock to the time of day, as of the last tick: an acceptance need not ask for it.
    wall_time::duration wall_ahead_{};
    time_point last_tick_;
    time_point next_sweep_{};
    /// How urgent a page has to be that may be read; set while hungry() has said no.
    std::optional<priority> fed_;
    bool held_ = false;
    std::size_t answers_ = 0;  ///< Since the last look at streams.
    time_point streams_seen_{};
    bool streams_used_up_ = false;
    bool credential_usable_ = true;
    bool connected_ = true;
    bool reading_ = false;
    bool stopped_ = false;
};

}  // namespace tocsin
