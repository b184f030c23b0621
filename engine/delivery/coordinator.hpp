#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/control/control_board.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/claim_agenda.hpp"
#include "engine/delivery/pruner.hpp"
#include "engine/delivery/shard_room.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/ops/settings.hpp"
#include "engine/plan/active_event.hpp"
#include "engine/plan/dead_letters.hpp"
#include "engine/plan/event_preparer.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/report.hpp"
#include "engine/plan/roll_call.hpp"
#include "engine/redis/client.hpp"
#include "engine/runtime/timer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tocsin {

/// Where claimed shards go. Called on the coordinator's thread; must not block.
class shard_taker {
public:
    virtual void assign(
        std::size_t thread, std::shared_ptr<active_event> event, const target& which, claimed_shard work) = 0;

protected:
    ~shard_taker() = default;
};

/// Finds work for this engine's threads: knows the running events, claims their shards as the
/// threads have room, and publishes the result of an event that has nothing left to do.
///
/// Engines do not talk to each other. All they share is in Redis, and each step of any of them can
/// be repeated by any other. Lives on one thread.
class coordinator {
public:
    coordinator(
        boost::asio::any_io_executor executor, redis::client& redis, device_store& store,
        dead_letters& letters, const event_preparer& preparer, const engine_settings& how,
        const time_source& time, logger& log, metrics_shard& metrics, shard_taker& taker);

    boost::asio::awaitable<void> run();
    void stop();

    /// An event that this engine has just planned: no need to look for it.
    void announce(std::shared_ptr<active_event> event);
    /// Which thread the next shard of that kind goes to.
    [[nodiscard]] std::size_t next_thread(const target& which, priority urgency) {
        return room_.thread_for({which, urgency});
    }
    /// A shard that was handed to a thread has left it.
    void shard_left(const shard_ticket& which);
    /// The events that are being cancelled, of all engines.
    void set_cancelling(const std::set<std::string, std::less<>>& events);
    /// An event may have nothing left to do.
    void drained(const std::string& event);

    [[nodiscard]] std::size_t running_events() const noexcept { return events_.size(); }

private:
    struct target_state {
        bool met = false;  ///< Claimed from before in this life.
        /// New shards were left to other engines: more are taken when no more than this are held.
        std::optional<std::size_t> enough;
    };
    struct tracked {
        std::shared_ptr<active_event> event;
        std::map<target, target_state> targets;
        bool finishing = false;
        /// Since when Redis does not seem to know it: it is left alone until that is certain.
        std::optional<time_point> missing_since{};
        time_point next_audit{};
    };

    /// Damage to one event holds up no other. The first error that there was.
    boost::asio::awaitable<result<>> refresh();
    /// Whether others can be seen to after what came of one; `first` keeps the first error.
    [[nodiscard]] static bool goes_on(const result<>& of_one, result<>& first);
    boost::asio::awaitable<result<>> track(std::string id);
    /// From now on its shards are claimed; if it can have none, it has nothing left to do.
    void enroll(const std::string& id);
    enum class claim_outcome : std::uint8_t { nothing, some };

    boost::asio::awaitable<result<claim_outcome>> claim_in_turn();
    boost::asio::awaitable<result<claim_outcome>> claim_for(claim_agenda::place who);
    [[nodiscard]] claim_agenda::room room_for(const claim_agenda::place& who) const;
    [[nodiscard]] claim_terms terms_for(const active_event& event, std::uint32_t pages) const;
    boost::asio::awaitable<result<>> put_aside(
        const std::string& id, const target& which, const claim_answer& found);
    /// Of an event that has no shard to claim: it ends, or, now and then, is asked whether its rest is there.
    boost::asio::awaitable<result<>> look_for_the_rest(
        std::shared_ptr<active_event> event, const claim_answer& claimed);
    boost::asio::awaitable<void> finish(std::string id);
    boost::asio::awaitable<result<finish_outcome>> publish_result(std::shared_ptr<active_event> event);
    void tell_finished(const active_event& event, const event_report& report);
    /// Removes the devices that the event calls dead: its result comes after that.
    boost::asio::awaitable<result<>> remove_dead(std::shared_ptr<active_event> event);
    /// The same for those that have waited for its end for a while, of all events that go on.
    boost::asio::awaitable<result<>> remove_overdue();
    boost::asio::awaitable<result<>> remove_waiting(std::shared_ptr<active_event> event);
    /// What is usual for an app is what its events that ended have shown.
    boost::asio::awaitable<void> learn_answers(std::shared_ptr<active_event> event, event_report report);
    /// Asks again for an event that Redis seemed to have forgotten.
    boost::asio::awaitable<result<>> look_for(std::string id, bool listed);
    /// Ends an event that can have no result with a letter.
    boost::asio::awaitable<result<>> write_off(std::string id, refusal why);
    /// Ends an event whose keys are damaged.
    boost::asio::awaitable<result<>> give_up(std::string id, std::string why);
    /// What is gone from the list of running events, or from Redis.
    boost::asio::awaitable<result<>> look_for_missing(const std::vector<std::string>& running);
    /// How long a target that has nothing to claim need not be asked again.
    [[nodiscard]] duration rest_after(const claim_answer& answer) const;
    void hand_out(std::shared_ptr<active_event> event, const target& which, claimed_shard work);
    /// Others come first to what is new of it.
    [[nodiscard]] bool content(
        const std::string& event, const target& which, const target_state& with) const {
        return with.enough && room_.held(event, which) > *with.enough;
    }

    boost::asio::any_io_executor executor_;
    ledger ledger_;
    pruner pruner_;
    dead_letters& letters_;
    const event_preparer& preparer_;
    engine_settings how_;
    const time_source& time_;
    logger& log_;
    metrics_shard& metrics_;
    shard_taker& taker_;
    control_board board_;
    roll_call roll_;
    std::map<std::string, tracked> events_;
    claim_agenda agenda_;
    shard_room room_;
    timer changed_;
    time_point next_refresh_{};
    std::size_t engines_ = 1;  ///< As of late, this one among them.
    std::size_t finishing_ = 0;
    bool news_ = false;
    bool alarm_ = false;  ///< A critical event was announced in the middle of a round.
    bool stopping_ = false;
};

}  // namespace tocsin
