#pragma once

#include "engine/core/log.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "tests/engine/simulation/blocking_redis.hpp"
#include "tests/engine/simulation/faulty_redis.hpp"
#include "tests/engine/simulation/redis_pair.hpp"
#include "tests/engine/simulation/simulated_engine.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace tocsin::testing {

/// One life of some events among some engines, in which everything goes wrong that a seed can think of:
/// engines that are killed, stopped, started, or live too slowly to keep their leases; clocks that are set;
/// connections to Redis that break before, while or after a request is run, or whose rest arrives late; a
/// Redis that is full, read-only or busy for a request, or does not answer for minutes; in some histories one
/// that comes back as it was at any moment before; in others one that is demoted behind its address, and
/// either takes writes again or is succeeded by another, which may have been cut off from it some time
/// before; answers of providers that are good, bad, late and missing; cancellation at any moment.
///
/// What the promises of docs/explanation/guarantees.md forbid, fails the test.
class history {
public:
    /// `log` hears what the engines have to say.
    history(redis_pair& redis, logger& log, std::uint64_t seed);

    void live();

private:
    struct named_engine {
        std::string name;
        std::unique_ptr<manual_time> time = std::make_unique<manual_time>();
        std::unique_ptr<simulated_engine> life;  ///< Null: it is down.
        std::size_t threads = 1;
        duration since_renewal{};
        time_point stop_by{};
        bool renews = true;  ///< Or it lives too slowly for it.
    };
    struct published_event {
        std::string id;
        std::set<std::string> devices;  ///< Whom it is for, by platform letter and token.
        std::size_t muted = 0;
        wall_time due;  ///< Not to be sent before.
        wall_time expires_at;
        bool cancelled = false;
        bool remembers = false;              ///< Whom it reached.
        std::set<std::string> offered;       ///< Devices that a push was taken for.
        std::map<std::string, int> reached;  ///< How often each device's provider has taken it.
    };

    // What there is.
    void register_devices();
    void publish();
    void start(named_engine& which);

    // What happens.
    void step();
    void answer_redis(named_engine& which);
    void send_and_hear(named_engine& which);
    void send(named_engine& which, imagined_channel& through);
    void hear(named_engine& which, imagined_channel& from, bool kindly);
    void pass_time(duration by);
    void age_what_is_pending();
    void kill(named_engine& which);
    /// The end of one that was stopped.
    void bury(named_engine& which);
    void set_a_clock();
    void cancel_one();
    void arrive_late();
    /// What Redis would have on its disk.
    void take_snapshot();
    /// Redis dies and comes back as its snapshot has it.
    void lose_what_came_after();
    /// What comes next of the fall of one master and the rise of another.
    void fail_over();
    void promote();

    // How it ends.
    void calm_down();
    [[nodiscard]] bool work_off(named_engine& which);
    /// Every event has its result; if Redis lost some of its past, or a letter, or is nowhere.
    [[nodiscard]] bool all_published();
    [[nodiscard]] std::set<std::string> results();
    /// Of `events_`: those that an entry of this stream names.
    [[nodiscard]] std::set<std::string> named_in(const std::string& stream);
    /// How things stand, for whoever wants to know why they do not move.
    [[nodiscard]] std::string describe();
    void check();
    void check_event(const published_event& which, const std::string& document);
    void check_remembered(const published_event& which);

    [[nodiscard]] std::size_t below(std::size_t end) {
        return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
    }
    [[nodiscard]] bool one_in(std::size_t n) { return below(n) == 0; }
    [[nodiscard]] published_event& event_of(const push& item);
    template <class T>
    [[nodiscard]] T at_once(boost::asio::awaitable<T> work) {
        return run_to_end(loop_, std::move(work));
    }

    redis_pair& redis_;
    logger& log_;
    std::mt19937_64 random_;
    keyspace keys_{"tocsin"};
    manual_time time_;  ///< What the rest of the world calls the time.
    direct_redis direct_{redis_};
    boost::asio::io_context loop_{1};
    std::vector<platform> platforms_;
    std::vector<device_change> devices_;
    std::vector<named_engine> engines_;
    std::vector<published_event> events_;
    late_requests later_;
    engine_settings how_;
    quiet_hours quiet_;  ///< In some histories: its first minute or two, all of them in one zone.
    std::size_t mishaps_per_hundred_ = 0;

    struct kept_key {
        std::string name;
        std::string value;  ///< As DUMP gives it.
        std::int64_t lives_ms = 0;
    };
    bool forgets_ = false;                           ///< Whether Redis may lose its past.
    std::optional<std::vector<kept_key>> snapshot_;  ///< None: it would come back empty.
    bool lost_history_ = false;
    bool fails_over_ = false;               ///< Whether masters may be demoted.
    std::chrono::milliseconds not_aged_{};  ///< What passed while nothing could be written.

    // What may be behind a repetition.
    bool clocks_were_set_ = false;
    std::uint64_t sent_again_ = 0;  ///< Pushes of which an earlier try was not answered.
    std::uint64_t kills_ = 0;
    std::uint64_t lapses_ = 0;            ///< Leases of shards, each of a page.
    std::uint64_t lost_connections_ = 0;  ///< On each of which every lane may have been opening a page.
    std::map<std::string, std::size_t> biggest_page_;
};

}  // namespace tocsin::testing
