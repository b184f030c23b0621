#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/removal_book.hpp"
#include "engine/delivery/removal_brake.hpp"
#include "engine/ops/settings.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/platform/platform_traits.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

struct removal_terms {
    removal_limits limits;
    std::chrono::milliseconds kept_for{};  ///< How long removed devices can be brought back; 0: not at all.
    std::size_t feedback_length = 0;
};
[[nodiscard]] removal_terms removal_terms_of(const engine_settings& how);

/// Takes dead devices out of the store and reports them on `feedback`, or holds them for an operator if they
/// are far more than usual (removal_brake.hpp).
///
/// A device that has registered again since its page was read is left alone. Each step can be
/// repeated: after a crash the event's `dead` hash says who is still to be done, and a report may
/// then come twice.
class pruner {
public:
    pruner(
        device_store& store, ledger& book, platform_set platforms, const time_source& time, logger& log,
        removal_terms terms)
        : store_(store),
          book_(book),
          platforms_(platforms),
          removals_(book.connection(), book.keys(), time),
          time_(time),
          log_(log),
          terms_(terms) {}

    enum class prune_outcome : std::uint8_t {
        done,       ///< Removed or held.
        some_wait,  ///< For the event's end, in its `dead` hash.
    };
    /// `dead` is encode_dead() and the provider's reason, as settled; `page`, if they are of one, what its
    /// devices were answered.
    boost::asio::awaitable<result<prune_outcome>> prune(
        std::string event, std::vector<std::pair<std::string, std::string>> dead, removal_moment when,
        std::optional<answer_counts> page = std::nullopt);

    /// What an event that has ended teaches about a target.
    boost::asio::awaitable<result<>> learn(std::string event, target which, answer_counts of_event) {
        return removals_.learn(std::move(event), std::move(which), of_event, terms_.limits.floor);
    }

    struct tally {
        std::uint64_t removed = 0;
        std::uint64_t kept = 0;  ///< They have registered again since.
    };
    /// Removes and reports those that are held, and believes the provider for a day. Safe to repeat.
    boost::asio::awaitable<result<tally>> remove_held(target which);

private:
    struct dying {
        std::string member;  ///< Of the event's `dead` hash.
        held_device device;
    };

    boost::asio::awaitable<result<prune_outcome>> prune_of_target(
        std::string event, target which, std::vector<dying> dead, removal_moment when,
        std::optional<answer_counts> page);
    boost::asio::awaitable<result<removal_book::hold_outcome>> hold(
        std::string event, target which, const std::vector<dying>& dead, removal_judgement why,
        answer_counts usual);
    /// Makes sure that what is removed can be reported and brought back. An error: nothing may be removed.
    boost::asio::awaitable<result<wall_time>> expect_removals(target which);
    /// Takes them off the event's list and leaves them where they are: the next event asks about them again.
    boost::asio::awaitable<result<prune_outcome>> leave(
        std::string event, target which, const std::vector<dying>& dead);
    boost::asio::awaitable<result<>> let_wait(std::string event, const std::vector<dying>& dead);
    /// Which of them were removed, or had left before.
    boost::asio::awaitable<result<std::vector<bool>>> remove(
        target which, const std::vector<held_device>& devices, wall_time begun);

    device_store& store_;
    ledger& book_;
    platform_set platforms_;
    removal_book removals_;
    const time_source& time_;
    logger& log_;
    removal_terms terms_;
    std::set<target> told_;  ///< Those that nobody can be removed of, and that was said.
};

}  // namespace tocsin
