#pragma once

#include "engine/control/control_state.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/plan/event_state.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// Where what all engines have to obey is written down: pauses, rates, used-up quotas, cancelled
/// events. Each change wakes every engine's control_watch.
class control_board {
public:
    control_board(redis::client& redis, keyspace keys) : redis_(redis), keys_(std::move(keys)) {}

    boost::asio::awaitable<result<control_state>> read();

    /// Holds everything that `which` covers, from now on, in all engines, over restarts.
    boost::asio::awaitable<result<>> hold(hold_selector which, wall_time now);
    /// Ends every hold that `which` covers.
    boost::asio::awaitable<result<>> release(hold_selector which);
    boost::asio::awaitable<result<>> set_rate(target which, std::uint64_t rate);
    /// Back to the configured rates: what a reload asks for.
    boost::asio::awaitable<result<>> forget_rates();
    /// The provider has said that `quota` is used up.
    boost::asio::awaitable<result<>> hold_quota(std::string quota, wall_time until);

    struct cancel_answer {
        event_state state{};  ///< Before.
        /// Its entry stands in the stream, and no engine has taken it up.
        bool unread = false;
        [[nodiscard]] bool cancelled() const noexcept { return is_open(state) || unread; }
    };
    /// What becomes of an event that nobody knows.
    enum class absent : std::uint8_t {
        ignore,    ///< Nothing: the name may be mistyped.
        call_off,  ///< It is not sent if it comes yet. For callers who know that somebody may be about to.
    };
    /// Nothing of `event` is sent from now on that is not on its way; repeatable.
    boost::asio::awaitable<result<cancel_answer>> cancel(std::string event, absent how = absent::ignore);
    /// Devices that were taken out of the store by somebody's wish: what waits for them in any engine
    /// is not sent.
    boost::asio::awaitable<result<>> tell_removed(std::vector<removed_device> devices);
    /// The event has ended.
    boost::asio::awaitable<result<>> forget_cancelled(std::string event);

private:
    struct noted {
        event_state before{};
        bool called_off = false;  ///< Somebody had said so already.
    };
    /// What is not there yet is not sent if it comes within `lasts`.
    boost::asio::awaitable<result<noted>> note_cancelled(std::string event, std::chrono::milliseconds lasts);
    boost::asio::awaitable<result<>> obey_cancelled(std::string event, bool scheduled);
    boost::asio::awaitable<result<>> change(redis::request what, std::string word);

    redis::client& redis_;
    keyspace keys_;
};

}  // namespace tocsin
