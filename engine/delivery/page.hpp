#pragma once

#include "engine/audience/roster_codec.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/text_arena.hpp"
#include "engine/delivery/bound_account.hpp"
#include "engine/delivery/push.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/plan/active_event.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/outcome.hpp"
#include "engine/plan/shard.hpp"
#include "engine/redis/reply.hpp"
#include "engine/redis/request.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// A shard that this engine has claimed and works on. Belongs to one thread.
struct active_shard {
    std::shared_ptr<active_event> event;
    target which;
    std::string entry;  ///< In the shard stream.
    shard work;
    std::shared_ptr<const message> content;                ///< Null: nobody here can send it.
    std::vector<std::shared_ptr<const message>> replaced;  ///< What `content` was before a reload.
    std::uint32_t pages = 0;
    std::uint32_t next = 0;     ///< The first page that was not opened yet.
    std::uint32_t written = 0;  ///< Pages that are settled, and Redis has said so.
    std::size_t unread = 0;     ///< Devices, by guess, that the lane was told of and that are not read.

    /// When its next page may be opened.
    [[nodiscard]] wall_time due() const noexcept {
        return event->cancelled.load(std::memory_order_relaxed) ? wall_time{}
                                                                : event->when.due(work.first_page + next);
    }
    [[nodiscard]] bool exhausted() const noexcept { return next == pages; }
    /// About how many devices page `index` will ask a connection for, as soon as it is read.
    [[nodiscard]] std::size_t guessed(std::uint32_t index) const noexcept {
        const bool at_once = content != nullptr && !event->when.span_of(work.first_page + index) &&
                             !event->content.skips_provider(which.on) && !event->cancelled;
        return at_once ? devices_guessed(work, index) : 0;
    }
};

/// Asks for the devices of a page: one HVALS for each bucket of `runs`, for page::fill().
void ask_for_devices(
    redis::request& into, const keyspace& keys, const target& which, const std::vector<bucket_run>& runs);

/// Some 1,000 devices, read at once, sent, and accounted for together. Owns its pushes and the
/// bytes that they point into. Belongs to one thread.
class page {
public:
    /// `now`: before the devices are read.
    page(std::shared_ptr<active_shard> from, std::uint32_t index, time_point now);
    page(const page&) = delete;
    page& operator=(const page&) = delete;

    /// Makes the pushes from what Redis said: one HVALS reply per bucket of `runs`, starting
    /// with reply `first`. Counts the muted and leaves out who is sent to from another territory.
    void fill(
        redis::replies storage, std::size_t first, const std::vector<bucket_run>& runs,
        token_beginnings beginnings, const message* content);
    /// The same from the devices that the shard names.
    void fill_listed(const message* content);

    [[nodiscard]] std::span<push> pushes() noexcept { return pushes_; }
    [[nodiscard]] const std::shared_ptr<active_shard>& from() const noexcept { return from_; }
    [[nodiscard]] active_event& event() const noexcept { return *from_->event; }
    [[nodiscard]] std::uint32_t number() const noexcept { return from_->work.first_page + index_; }
    /// What the provider has made of the event's message; null if nobody can send it.
    [[nodiscard]] message_reception* reception() const noexcept { return reception_; }
    /// What the store said after this instant is not in the page.
    [[nodiscard]] time_point read_at() const noexcept { return read_at_; }
    [[nodiscard]] std::size_t unread_entries() const noexcept { return malformed_; }
    /// What of the store could not be read at all: the result says that somebody may not have been sent to.
    void note_damaged(std::size_t more) noexcept { damaged_ += more; }
    [[nodiscard]] std::size_t damaged() const noexcept { return damaged_; }
    /// Devices to send to: neither the muted nor those that are passed over.
    [[nodiscard]] std::size_t size() const noexcept { return pushes_.size(); }
    /// Entries of devices that the event matches elsewhere: by an earlier territory, or by name.
    [[nodiscard]] std::size_t passed_over() const noexcept { return passed_over_; }

    /// What was not sent yet is sent with this from now on.
    void replace_content(const message& content) noexcept;
    /// The same for one push that has come back from a connection.
    void replace_content(push& item, const message& content) noexcept;

    // The end of one push, one call each.
    void finish(push& item, outcome how) noexcept;
    /// Accepted by the provider `latency` after the event was read.
    void accept(push& item, std::chrono::milliseconds latency) noexcept;
    void die(push& item, std::string_view reason);
    /// Out of memory and into Redis until `due`.
    void park(push& item, wall_time due);
    /// Ends what could not be sent for want of anything the provider could be asked.
    void finish_all(outcome how) noexcept;

    // What happens on the way.
    /// Called when a push is handed to a connection.
    void count_sent(push& item) noexcept { possible_duplicates_ += item.maybe_sent ? 1 : 0; }
    void count_retry() noexcept { ++retries_; }
    void count_reason(std::string_view reason);
    /// What had bound the lane in all when the page began to be read, and when its last push had ended.
    void begin_account(const bound_times& totals) noexcept { bound_ = totals; }
    void end_account(const bound_times& totals) noexcept;

    /// One of the pushes waits, ended by nobody, until it is clear whether its answer can be believed.
    void put_on_trial() noexcept { ++trials_; }
    void end_trial() noexcept { --trials_; }
    [[nodiscard]] bool only_trials_left() const noexcept { return trials_ != 0 && trials_ == remaining_; }

    [[nodiscard]] bool done() const noexcept { return remaining_ == 0; }
    [[nodiscard]] std::uint64_t count(outcome how) const noexcept {
        return outcomes_[static_cast<std::size_t>(how)];
    }
    [[nodiscard]] std::uint64_t possible_duplicates() const noexcept { return possible_duplicates_; }
    /// What the ledger is told. Leaves the page empty of parked and dead devices.
    [[nodiscard]] page_settlement settlement();

    /// Few pushes have no outcome yet, so few that they can be named.
    [[nodiscard]] bool nearly_done() const noexcept {
        // Whom an event has reached is told once, when everybody of the page has an outcome.
        return late_.empty() && reached_.empty() && trials_ == 0 && remaining_ != 0 && remaining_ <= few() &&
               remaining_ < pushes_.size();
    }
    /// True once, of the last push that ended.
    [[nodiscard]] bool became_nearly_done() const noexcept { return remaining_ == few() && nearly_done(); }
    /// The settlement of a page that is nearly done. The devices without an outcome are parked under a name
    /// of their own until `due`, as ones who may have been sent to; what becomes of them is amendment().
    [[nodiscard]] page_settlement settle_early(wall_time due);
    [[nodiscard]] bool late() const noexcept { return !late_.empty(); }
    [[nodiscard]] const std::string& late_name() const noexcept { return late_; }
    /// Devices that settle_early() has named.
    [[nodiscard]] std::size_t named() const noexcept { return named_; }
    /// What the ledger is told when a late page is done().
    [[nodiscard]] page_settlement amendment();

private:
    void begin();
    void tell_reached(page_settlement& into) const;
    [[nodiscard]] std::string_view whole_token(const roster_record& from);
    void add(std::string_view token, std::string_view entry, std::uint32_t roster, const message* content);
    [[nodiscard]] std::size_t few() const noexcept {
        return std::min(most_named, (pushes_.size() + part_named - 1) / part_named);
    }
    [[nodiscard]] listed_device listed(const push& item) const;
    void count_into(page_settlement& out) const;

    static constexpr std::size_t most_named = 64;
    static constexpr std::size_t part_named = 4;

    std::shared_ptr<active_shard> from_;
    std::uint32_t index_;
    time_point read_at_;
    message_reception* reception_ = nullptr;
    redis::replies storage_;
    text_arena tokens_;  ///< Those that Redis holds in pieces.
    std::vector<push> pushes_;
    std::vector<std::string_view> entries_;  ///< Of each push: its roster entry.
    std::vector<std::uint32_t> communes_;    ///< Of each roster (push::territory): what it counts for.
    std::vector<std::int64_t> targeted_by_roster_;
    std::vector<std::uint64_t> accepted_by_roster_;
    std::vector<bool> reached_;  ///< Of an event that remembers it, each push: it was sent, perhaps.
    std::array<std::uint64_t, outcome_count> outcomes_{};
    std::uint64_t retries_ = 0;
    std::uint64_t possible_duplicates_ = 0;
    std::size_t remaining_ = 0;
    std::size_t trials_ = 0;
    std::size_t malformed_ = 0;
    std::size_t damaged_ = 0;
    std::size_t passed_over_ = 0;
    std::string late_;  ///< The name of what was late; empty: nothing was named.
    std::size_t named_ = 0;
    bool first_time_ = true;  ///< A page of retries targets nobody anew.
    boost::unordered_flat_map<std::uint32_t, std::uint64_t> latencies_;
    std::vector<std::pair<std::string, std::uint64_t>> reasons_;  ///< Few: looking through is quickest.
    bound_times bound_{};  ///< Until end_account() what it was at the beginning, then the page's part.
    std::vector<std::pair<std::int64_t, std::string>> parked_;
    std::vector<std::pair<std::string, std::string>> dead_;
};

}  // namespace tocsin
