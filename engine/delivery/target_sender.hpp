#pragma once

#include "engine/control/control_state.hpp"
#include "engine/control/quota_book.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/lane.hpp"
#include "engine/delivery/lane_channels.hpp"
#include "engine/delivery/page.hpp"
#include "engine/delivery/page_io.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/delivery/shard_queue.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/ops/settings.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/platform/platform_traits.hpp"
#include "engine/runtime/task_scope.hpp"
#include "engine/runtime/thread_load.hpp"
#include "engine/runtime/timer.hpp"
#include "engine/runtime/wait_queue.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// What a thread that sends tells the rest of the engine. Called on that thread.
class sending_listener {
public:
    /// A shard that was handed over has left: settled, given back, or of no known provider.
    virtual void shard_left(shard_ticket which) = 0;
    /// The event may have nothing left to do.
    virtual void event_drained(std::string event) = 0;
    /// A provider has said that a quota is used up until then.
    virtual void quota_used_up(std::string quota, wall_time until) = 0;

protected:
    ~sending_listener() = default;
};

/// What all senders of a thread share.
struct sending_thread {
    boost::asio::any_io_executor executor;
    std::size_t index = 0;
    platform_set platforms;
    const engine_settings& how;
    const time_source& time;
    logger& log;
    metrics_shard& metrics;
    ledger& book;
    page_io& pages;
    quota_book& quotas;
    thread_load& load;
    sending_listener& listener;
};

/// What a lane is doing, for /readyz and status.
struct lane_status {
    target which;
    std::size_t waiting = 0;
    std::size_t in_flight = 0;
    std::uint64_t rate = 0;  ///< Pushes per second of the target over all engines; 0: no limit of ours.
    std::string paused_because;
    lane_bound bound = lane_bound::idle;  ///< What holds it back.
    /// Shares of the last seconds in which it was held back by what.
    std::array<double, lane_bound_count> bound_lately{};
    channel_statistics connections;
};

/// All sending of one target on one thread: feeds its lane with pages of the shards it is given, and sees
/// each page through to the ledger.
///
/// All calls come from its thread, and so do its coroutines. It goes when its loop does not run any more.
class target_sender final : private lane_owner {
public:
    /// `generation` is event_preparer's: of the configuration that `through` was made of.
    target_sender(
        const sending_thread& where, target which, std::shared_ptr<provider> through,
        std::uint64_t generation);

    /// Another provider, or none: its shards wait until there is one again. What is not sent yet is rendered
    /// anew; what is in flight is seen to its end.
    void reload(std::shared_ptr<provider> through, std::uint64_t generation);
    /// What operators and providers have laid down, and the rate that holds for this target.
    void obey(const control_state& state, std::uint64_t rate);
    /// Nothing leaves any more for this device.
    void forget(std::string_view token) { line_.forget(token, here_.time.now()); }

    /// Shards are likely to come within moments, and in a hurry: opens a connection.
    void expect();
    /// Takes over a claimed shard. Only with a provider, and not after stop().
    void assign(std::shared_ptr<active_event> event, claimed_shard work);
    /// Keeps the leases of everything that it holds.
    boost::asio::awaitable<result<>> renew_leases();

    /// Opens no page any more, waits for the answers to what is in flight until `answers_until`, settles
    /// until `end`, and gives the rest back.
    boost::asio::awaitable<void> stop(time_point answers_until, time_point end);

    [[nodiscard]] lane_status status() const;

private:
    /// A page from its reading to its last settlement.
    struct open_page {
        open_page(const std::shared_ptr<active_shard>& from, const sending_thread& here)
            : what(from, from->next, here.time.now()), news(here.executor) {}
        page what;
        wait_queue news;  ///< It is done, or in the way.
        bool in_the_way = false;
    };
    /// Pages that are open, of critical events or of all others, and what is late of settled ones.
    struct load {
        std::size_t pages = 0;
        std::size_t late_size = 0;     ///< Of the late pages, in devices that memory holds.
        std::size_t late_devices = 0;  ///< Without an outcome.
        /// In pages: what an engine that dies now leaves in doubt.
        [[nodiscard]] std::size_t in_doubt() const noexcept {
            return pages + (late_devices + devices_per_page - 1) / devices_per_page;
        }
    };

    // lane_owner
    void page_done(page& which) override;
    void page_nearly_done() override;
    void slice_wanted(const slice_question& what) override;
    void look_at(time_point when) override;
    void hungry() override { more_.wake_all(); }
    void quota_used_up(std::chrono::milliseconds rest) override;

    boost::asio::awaitable<void> feed();
    [[nodiscard]] bool has_room(load& of);
    [[nodiscard]] bool may_open_page_of(const active_event& event) noexcept;
    boost::asio::awaitable<void> read_page(std::shared_ptr<active_shard> from);
    void fill(page& what, page_reading& got);
    void start(std::unique_ptr<open_page> what);
    [[nodiscard]] bool ends_unsent(page& what);
    boost::asio::awaitable<void> see_through(open_page& mine);
    [[nodiscard]] bool late_fits(const page& what) noexcept;
    [[nodiscard]] page_settlement settle_early(page& what);
    [[nodiscard]] page_settlement close(page& what);
    boost::asio::awaitable<void> page_over(std::shared_ptr<active_shard> from, page_ending ended);
    void shard_left(const active_shard& which);

    boost::asio::awaitable<void> look_after();
    void observe(time_point now);
    boost::asio::awaitable<void> lease_slice(slice_question asked);
    boost::asio::awaitable<void> slow_down(std::chrono::milliseconds rest);

    [[nodiscard]] std::shared_ptr<const message> render(const active_event& event);
    [[nodiscard]] load& load_of(const active_event& event) noexcept {
        return loads_[event.content.priority == priority::critical ? 1 : 0];
    }
    [[nodiscard]] wall_time late_until() const;
    void count(outcome how, std::size_t pushes);

    sending_thread here_;
    target which_;
    std::shared_ptr<provider> through_;  ///< Null: the configuration has it no more.
    std::uint64_t generation_;
    /// By event, what was rendered anew under generation_.
    std::map<std::string, std::shared_ptr<const message>, std::less<>> rendered_;

    lane line_;
    std::map<const page*, std::unique_ptr<open_page>> open_;
    lane_channels channels_;  // They go before the pages, whose pushes they may have.
    std::vector<std::shared_ptr<active_shard>> held_;
    shard_queue shards_;         ///< Of those held: the ones with pages that were not opened yet.
    std::array<load, 2> loads_;  ///< Of critical events: the second.
    timer more_;                 ///< There may be a page to open.
    timer look_;                 ///< The lane is to be looked at.
    task_scope tasks_;
    bool stopping_ = false;
};

}  // namespace tocsin
