#pragma once

#include "engine/core/clock.hpp"
#include "engine/redis/client.hpp"
#include "tests/engine/simulation/blocking_redis.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace tocsin::testing {

/// What a network, or Redis, does to a request.
enum class mishap : std::uint8_t {
    none,
    unreachable,  ///< It never left.
    refused,      ///< Redis is full, read-only or busy, and answers each command with that.
    lost,         ///< The connection broke before Redis had read it.
    reply_lost,   ///< Redis ran it, and the connection broke before the reply came.
    runs_later,   ///< The connection broke, and Redis reads what was left in it after newer requests.
};

/// What was on a connection whose sender has given it up, and which Redis has yet to read, in its order.
struct late_connection {
    blocking_redis* to;
    std::deque<redis::request> requests;
};
using late_requests = std::vector<late_connection>;

/// One simulated connection to Redis, which answers in order, when it is told to, and if at all. One that
/// breaks is made anew at once, to whichever server the address leads to by then; until then it stays where
/// it is, whatever becomes of that server.
class faulty_redis final : public redis::client {
public:
    faulty_redis(boost::asio::any_io_executor executor, const time_source& time, redis_address& where)
        : executor_(std::move(executor)), time_(time), where_(where), through_(&where.server()) {}

    boost::asio::awaitable<result<redis::replies>> execute(redis::request what) override;

    /// Whether something waits that Redis would answer by now. With `news`, also a read that waits for some.
    [[nodiscard]] bool ready(bool news) const;
    /// What becomes of the oldest request, and with it of those behind if the connection breaks. Their
    /// senders hear of it when their loop runs. False if the connection broke because its server takes no
    /// writes any more: the engine's own connections take that for their loss.
    bool perform(mishap what, late_requests& later);
    /// Redis does not answer before `until`.
    void hold(time_point until) { held_until_ = until; }
    /// Redis has died: whatever is on its way to it is lost.
    void break_off();
    /// The sender has died: what is on its way still arrives, some of it later.
    void die(std::size_t arrive, late_requests& later);

private:
    struct call {
        call(const boost::asio::any_io_executor& executor, redis::request asked, time_point when)
            : what(std::move(asked)),
              answered_at(when + what.expected_delay()),
              waits_for_news(what.expected_delay().count() != 0),
              signal(executor, boost::asio::steady_timer::time_point::max()) {}

        redis::request what;
        time_point answered_at;  ///< At the latest.
        bool waits_for_news;
        boost::asio::steady_timer signal;
        std::optional<result<redis::replies>> answer;
    };
    static void end(call& which, result<redis::replies> how);
    [[nodiscard]] redis::replies ask(redis::request what);

    boost::asio::any_io_executor executor_;
    const time_source& time_;
    redis_address& where_;
    blocking_redis* through_;
    std::deque<std::shared_ptr<call>> calls_;
    time_point held_until_{};
};

}  // namespace tocsin::testing
