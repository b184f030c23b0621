#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/event/publish_event.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/plan/event_state.hpp"
#include "engine/plan/shard.hpp"
#include "engine/plan/timetable.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

/// An event's fields in Redis, as read. Counters are named in ledger_names.hpp.
using ledger_fields = std::map<std::string, std::string, std::less<>>;

/// Everything that the first step of planning writes.
struct event_plan {
    std::string event;  ///< Its id.
    std::string entry;  ///< Its stream entry: tells a replay from a second event with the same id.
    ledger_fields fields;
    struct target_plan {
        target which;
        std::vector<shard> shards;
    };
    std::vector<target_plan> targets;
    std::uint32_t pages = 0;  ///< The first page number that is still free.
    timetable when;           ///< Of its pages.
    /// Of an event that stands on no list yet: when its planning began. It is listed as begun until the
    /// second step, so that its keys are found whatever Redis forgets in between.
    std::optional<wall_time> begun_at;
};

enum class plan_outcome : std::uint8_t {
    created,
    exists,     ///< This very entry was planned before.
    duplicate,  ///< Another event with this id was accepted before.
    damaged,    ///< Where its ledger should stand is something that we have not written.
    called_off  ///< It was cancelled before: nothing was written, and it is only to be ended.
};

/// Whether an event has anything left to do.
enum class remaining_work : std::uint8_t { some, none };

enum class finish_outcome : std::uint8_t {
    published,
    had_ended,
    unfinished,  ///< Something is left to do, or was added since the sums were read.
};

struct claimed_shard {
    std::string entry;  ///< Its id in the shard stream.
    shard work;
};

struct claim_answer {
    event_state state{};       ///< Of the event.
    std::uint64_t open = 0;    ///< Shards that are not settled, of all targets.
    std::uint64_t parked = 0;  ///< Pushes that wait for a retry, of all targets.
    std::vector<claimed_shard> shards;
    std::vector<std::string> unreadable;  ///< Entries that could not be parsed.
    std::vector<std::string> poison;      ///< Taken up too often without progress, and put aside.
    std::uint64_t left_to_others = 0;     ///< New shards that were there, and not taken for their sake.
    std::string damaged;                  ///< Why the event cannot go on; empty: it can.
    /// If all that is left of this target are shards whose moment has not come: when the first of them comes.
    std::optional<wall_time> rests_until;
};

/// Which shards an engine takes, and how.
struct claim_terms {
    std::size_t limit = 1;
    /// Engines that fell silent for longer than this have lost theirs.
    std::chrono::milliseconds lease{};
    /// First those that this very consumer held in an earlier life.
    bool own = false;
    /// More often a shard is not taken up without progress.
    std::size_t most_takeovers = 20;
    /// Shards with a moment of their own are taken so much before it, to be at hand when it comes.
    std::chrono::milliseconds ahead{0};
    /// Between how many engines the new ones are divided; 0: no new ones at all.
    std::size_t engines = 1;
};

/// What one settled page adds to its event.
struct page_settlement {
    std::string event;
    target which;
    std::string shard_entry;
    std::uint32_t page = 0;
    std::uint32_t first_page = 0;   ///< Of the shard, and
    std::uint32_t shard_pages = 1;  ///< how many it has.
    std::vector<std::pair<std::string, std::int64_t>> increments;
    std::vector<std::pair<std::int64_t, std::string>> parked;  ///< Due (ms), encode_listed().
    std::vector<std::pair<std::string, std::string>> dead;     ///< encode_dead(), reason.
    /// Of the devices that are settled: how many were accepted.
    std::uint64_t accepted = 0;
    /// Pushes of the page: what another engine that opened it too may have sent as well.
    std::uint64_t devices = 0;
    // Of an event that remembers whom it reached, encode_hashed():
    std::string reached;  ///< Whom this engine has sent to, or may have.
    std::string others;   ///< The rest of the page: another engine that opened it too may have sent to them.
    std::chrono::milliseconds remember_for{};
    /// What is settled is the rest of a page that was settled before its last answers: under this name its
    /// devices were parked then.
    std::string late;
};

/// When the late devices of a page are sent again if nobody answers for them, as a score among the parked
/// pushes: later than any retry, so that a cancelled event does not take them from under their answers.
[[nodiscard]] std::int64_t late_score(wall_time due) noexcept;

struct settle_answer {
    bool repeated = false;    ///< Another engine had settled the page: nothing was added but duplicates.
    bool drained = false;     ///< The event has nothing left to do.
    bool shard_done = false;  ///< All pages of the shard are settled, as Redis knows.
    event_state state{};
};

/// Says that a page is about to be read, and asks whether that is still wanted: one command. To be sent
/// before its devices are read, so that whoever settles it knows of everybody who may have sent to it.
void ask_to_open(redis::request& into, const keyspace& keys, std::string_view event, std::uint32_t page);

enum class page_state : std::uint8_t {
    opened,
    settled,  ///< By somebody else, or the event has ended altogether.
};
[[nodiscard]] page_state read_opening(const redis::reply& answer) noexcept;

/// Progress and sums of events in Redis. Each call is one script or one pipeline on the keys of one
/// event, safe to repeat after an error.
class ledger {
public:
    ledger(redis::client& redis, keyspace keys, std::string consumer)
        : redis_(redis), keys_(std::move(keys)), consumer_(std::move(consumer)) {}

    /// First step: the shards exist, but no engine looks for them yet. An event that is scheduled has none
    /// yet, nor has one that is cancelling since it was called off.
    boost::asio::awaitable<result<plan_outcome>> plan(const event_plan& what, event_state state);
    /// Second step: engines see the event, and then its entry is acknowledged.
    boost::asio::awaitable<result<>> activate(
        std::string event, std::string entry, priority urgency, wall_time at);
    /// The same for an event that waits for its send_at.
    boost::asio::awaitable<result<>> schedule(std::string event, std::string entry, wall_time due);
    /// The second step of an event whose send_at has come.
    boost::asio::awaitable<result<>> activate_scheduled(std::string event, priority urgency, wall_time at);
    boost::asio::awaitable<result<std::vector<std::string>>> due_events(wall_time now, std::size_t at_most);
    /// Events whose planning began before then, and which nobody has taken the second step for.
    boost::asio::awaitable<result<std::vector<std::string>>> begun_before(
        wall_time then, std::size_t at_most);
    /// Leaves the second step of one that was begun to whoever looks at the schedule: it is due.
    boost::asio::awaitable<result<>> resume(std::string event, wall_time now);
    /// The event, if it still stands on the schedule, is due at another time.
    boost::asio::awaitable<result<>> postpone(std::string event, wall_time until);
    /// Acknowledges an entry that asks for nothing (a duplicate).
    boost::asio::awaitable<result<>> acknowledge(std::string stream, std::string entry);

    /// The unfinished events, most urgent first.
    boost::asio::awaitable<result<std::vector<std::string>>> running(std::size_t limit);
    boost::asio::awaitable<result<ledger_fields>> read(std::string event);

    /// Takes shards of one target: what is left of engines that fell silent, parked pushes and shards whose
    /// moment has come, then new ones.
    boost::asio::awaitable<result<claim_answer>> claim(
        std::string event, target which, claim_terms how, wall_time now);
    boost::asio::awaitable<result<>> renew(std::string event, target which, std::vector<std::string> entries);
    /// Gives a shard back at once for any engine to take, unless another one holds it by now.
    boost::asio::awaitable<result<>> release(std::string event, target which, std::string entry);
    /// Of a shard whose pages are all written down as far as this engine knows. If Redis does not know that
    /// of each of them, it is given back: what is not settled is opened and sent again.
    boost::asio::awaitable<result<remaining_work>> leave(
        std::string event, target which, std::string entry, std::uint32_t first_page, std::uint32_t pages);
    /// A shard of which no page can be done; the result says so.
    boost::asio::awaitable<result<>> put_aside(std::string event, target which, std::string entry);

    boost::asio::awaitable<result<settle_answer>> settle(page_settlement what);
    /// The rest of a page (page_settlement::late). `repeated`: others have taken its devices meanwhile, and
    /// count them.
    boost::asio::awaitable<result<settle_answer>> amend(page_settlement what);
    /// Keeps late devices from being taken by others until then.
    boost::asio::awaitable<result<>> renew_late(
        std::string event, target which, std::vector<std::string> late, wall_time due);

    /// Everybody that a target of an event may have been sent to, by what is remembered of it; some may be
    /// there twice.
    boost::asio::awaitable<result<std::vector<hashed_device>>> reached(std::string event, target which);
    enum class knowledge : std::uint8_t {
        none,       ///< There is no such event, or it was over too long ago.
        under_way,  ///< More may be sent to.
        ended,
    };
    boost::asio::awaitable<result<knowledge>> known(std::string event, std::vector<target> targets);

    /// Dead devices that are counted and not yet removed: encode_dead() → reason.
    boost::asio::awaitable<result<std::vector<std::pair<std::string, std::string>>>> dead(std::string event);

    /// Leaves dead devices, with the bare reason of each, to whoever removes them when the event ends:
    /// waits_for_the_end() from now on.
    boost::asio::awaitable<result<>> let_dead_wait(
        std::string event, std::vector<std::pair<std::string, std::string>> dead);

    enum class claimed : std::uint8_t { ours, theirs };
    /// Before an engine removes what stands on the event's list: one does at a time, or a device would be
    /// reported by each. Whoever falls silent loses it after a while.
    boost::asio::awaitable<result<claimed>> claim_dead(std::string event, wall_time now);

    enum class dead_end : std::uint8_t { removed, held };
    /// Takes dead devices off the event's list, by their fields in its hash; those that are held are counted.
    boost::asio::awaitable<result<>> strike_dead(
        std::string event, std::vector<std::string> members, dead_end how);

    /// Publishes the result and ends the event, once however often and by whomever it is called: the
    /// first document given is the one that counts. `state` is read out of it. `revision` is that of the
    /// fields which the document was made of: nothing ends before all of it is done and counted. With a
    /// `receipts_window` its apps may report on it for so long from then on, and it is on the list of those.
    boost::asio::awaitable<result<finish_outcome>> finish(
        std::string event, std::string document, std::string revision, std::size_t max_length, wall_time now,
        std::chrono::milliseconds retention, std::vector<target> targets,
        std::optional<std::chrono::milliseconds> receipts_window = std::nullopt);
    /// Compares what the ledger of a running event counts with what its other keys hold. If they differ, an
    /// older copy of one of them was brought back, or one is gone: the next claim says that it is damaged.
    boost::asio::awaitable<result<>> audit(std::string event, std::vector<target> targets);
    enum class given_up : std::uint8_t { noted, nowhere };  ///< Nowhere: its ledger is not ours to write.
    /// Gives up what is left of an event whose keys are damaged: its result will say so.
    boost::asio::awaitable<result<given_up>> give_up(
        std::string event, std::string why, std::vector<target> targets);
    /// Takes an event off the list of running ones that is no longer running.
    boost::asio::awaitable<result<>> forget_running(std::string event);
    /// The same for one that waits for its send_at.
    boost::asio::awaitable<result<>> forget_scheduled(std::string event);
    /// The same for one that was begun, and has nothing that is to be gone on with.
    boost::asio::awaitable<result<>> forget_begun(std::string event);
    /// The same, as if it had never been: what is published again under its id is new.
    boost::asio::awaitable<result<>> erase_scheduled(std::string event);

    [[nodiscard]] const keyspace& keys() const noexcept { return keys_; }
    [[nodiscard]] redis::client& connection() noexcept { return redis_; }

private:
    /// Into one sorted set, out of another (or none), and only then off the stream: three slots of a cluster.
    boost::asio::awaitable<result<>> move(
        std::string event, std::string into, std::string score, std::string out_of, std::string entry);

    /// Behind `first`, for each target: its shards, its parked pushes and what waits.
    [[nodiscard]] std::vector<std::string> keys_of(
        std::vector<std::string> first, std::string_view event, const std::vector<target>& targets) const;
    /// Puts an event on the list of those that are reported on until then (ms).
    boost::asio::awaitable<result<>> expect_receipts(std::string event, std::string until);

    redis::client& redis_;
    keyspace keys_;
    std::string consumer_;
};

/// Whether the reason of a device in the `dead` hash says that it was left there on purpose.
[[nodiscard]] bool waits_for_the_end(std::string_view reason) noexcept;
/// The provider's own word.
[[nodiscard]] std::string_view reason_of_dead(std::string_view reason) noexcept;

}  // namespace tocsin
