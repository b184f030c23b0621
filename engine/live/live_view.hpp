#pragma once

#include "engine/audience/territories.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/live/event_pace.hpp"
#include "engine/live/event_summary.hpp"
#include "engine/redis/client.hpp"
#include "engine/runtime/timer.hpp"
#include "engine/runtime/wait_queue.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// One state of everything, as JSON. Shared by all who look; never changed.
struct live_snapshot {
    std::uint64_t number = 0;  ///< One more than the one before.
    std::string status;        ///< The "status" document of docs/reference/admin-api.md.
    std::string status_event;  ///< The same as a server-sent event.
    std::string events;        ///< The "events" document of the same page.
};

/// What this engine knows of itself: asked for once a second while somebody looks.
struct live_sources {
    std::function<boost::json::object()> health;  ///< "ready" and "checks".
    std::function<boost::json::array()> lanes;
};

/// Looks at the running events, the streams and the letters once a second while somebody watches, and not at
/// all while nobody does. What it costs Redis depends on the number of events, up to a bound, and not on how
/// many watch: each look is two pipelines of at most some 25 commands.
///
/// Belongs to one loop, and to a Redis connection of its own, so that nobody's push waits behind it.
class live_view {
public:
    live_view(
        boost::asio::any_io_executor executor, redis::client& redis, keyspace keys, const territories& places,
        const time_source& time, logger& log, std::string instance, live_sources sources);
    live_view(const live_view&) = delete;
    live_view& operator=(const live_view&) = delete;

    /// Looks until stop(). Run it once, on the executor.
    boost::asio::awaitable<void> run();
    void stop();

    /// The state of at most two seconds ago. Null once stopped.
    boost::asio::awaitable<std::shared_ptr<const live_snapshot>> current();
    /// The first state with a higher number than `seen`. Null once stopped.
    boost::asio::awaitable<std::shared_ptr<const live_snapshot>> after(std::uint64_t seen);

    /// An event with everything about it; null if there is none. At most one reading a second of each event,
    /// and one at a time: those that take long are kept for longer, up to ten seconds. `with_communes`:
    /// their table, too. Errors: Redis'.
    boost::asio::awaitable<result<std::shared_ptr<const std::string>>> event(
        std::string id, bool with_communes);

    /// The latest of one event, as a server-sent event, without its communes; null before it was first read.
    /// It is read again after each look while somebody goes on asking for it, and another string only if it
    /// says something else.
    [[nodiscard]] std::shared_ptr<const std::string> followed(const std::string& id);

private:
    struct known_event {
        event_heading heading;
        event_report report;
        event_pace pace;
        time_point looked_at{};
        bool listed = false;  ///< Among those that run, at the last look.
    };
    struct detail {
        std::shared_ptr<const std::string> text;  ///< Null: there is no such event.
        time_point good_until{};
    };
    /// An event's id, and whether it is with its communes: of a nation they are most of the work.
    using detail_key = std::pair<std::string, bool>;

    /// Somebody waits for a state as long as this lives; it may outlive the view.
    class waiting_one {
    public:
        explicit waiting_one(std::shared_ptr<std::size_t> count) noexcept : count_(std::move(count)) {
            ++*count_;
        }
        waiting_one(const waiting_one&) = delete;
        waiting_one& operator=(const waiting_one&) = delete;
        ~waiting_one() { --*count_; }

    private:
        std::shared_ptr<std::size_t> count_;
    };

    void demand();
    void publish();
    boost::asio::awaitable<result<>> look();
    boost::asio::awaitable<void> look_at_followed();
    boost::asio::awaitable<result<>> look_at_lists();
    boost::asio::awaitable<result<>> look_at_events();
    boost::asio::awaitable<result<>> learn_headings();
    [[nodiscard]] std::vector<std::string> events_to_look_at();
    [[nodiscard]] std::vector<std::string> unknown_headings() const;
    void take_results(const redis::reply& entries, bool newest_first);
    void take_letters(const redis::reply& entries);
    [[nodiscard]] boost::json::array event_lines() const;
    boost::asio::awaitable<result<detail>> read_detail(detail_key key);

    redis::client& redis_;
    keyspace keys_;
    const territories& places_;
    const time_source& time_;
    logger& log_;
    std::string instance_;
    live_sources sources_;
    timer pause_;
    wait_queue wanted_;
    wait_queue changed_;
    wait_queue detail_read_;

    time_point demanded_at_ = time_point::min();
    std::shared_ptr<std::size_t> waiting_ = std::make_shared<std::size_t>(0);
    std::shared_ptr<const live_snapshot> now_;
    time_point made_at_ = time_point::min();
    std::string redis_problem_;

    std::vector<std::string> running_;  ///< Most urgent first, as many as are shown.
    std::uint64_t running_total_ = 0;
    std::map<std::string, known_event> known_;
    std::size_t turn_ = 0;  ///< Where the round over the less urgent events stands.
    struct ended_event {
        std::string id;
        boost::json::object summary;
    };
    std::deque<ended_event> ended_;  ///< Newest first.
    std::map<std::string, event_heading> ended_headings_;
    std::string last_result_;  ///< The stream entry up to which results were read.
    boost::json::array scheduled_;
    std::uint64_t scheduled_total_ = 0;
    boost::json::object streams_;
    boost::json::array letters_;
    std::uint64_t letters_total_ = 0;
    boost::json::array paused_;
    std::uint64_t engines_ = 0;

    struct followed_event {
        time_point wanted_at = time_point::min();
        time_point looked_at = time_point::min();
        std::shared_ptr<const std::string> text;  ///< What `message` carries.
        std::shared_ptr<const std::string> message;
    };
    std::map<std::string, followed_event, std::less<>> followed_;
    std::map<detail_key, detail> details_;
    bool reading_detail_ = false;
    bool stopped_ = false;
};

}  // namespace tocsin
