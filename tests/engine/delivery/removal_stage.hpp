#pragma once

#include "engine/audience/roster_codec.hpp"
#include "engine/delivery/pruner.hpp"
#include "engine/delivery/removal_book.hpp"
#include "engine/delivery/restorer.hpp"
#include "engine/plan/dead_device.hpp"
#include "engine/plan/ledger_names.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/audience/device_changes.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::testing {

/// Remembers which events were logged, and what of them.
class remembering_log final : public logger {
public:
    [[nodiscard]] bool enabled(log_level) const noexcept override { return true; }
    void write(log_level, std::string_view event, std::span<const log_field> fields) noexcept override {
        ++events[std::string(event)];
        for (const log_field& one : fields) {
            last += std::string(one.key) + "=" + one.value + " ";
        }
    }
    std::map<std::string, int> events;
    std::string last;
};

using dead_list = std::vector<std::pair<std::string, std::string>>;

/// An engine's part in removing devices of mairies/fcm, with a store on a real Redis and an event that its
/// test says what became of.
class removal_stage {
public:
    explicit removal_stage(const std::string& url)
        : redis(loop.get_executor(), redis::parse_address(url).value(), machine, log) {}

    template <class T>
    T run(boost::asio::awaitable<T> work) {
        return run_to_end(loop, std::move(work));
    }
    redis::replies ask(redis::request what) { return run(redis.execute(std::move(what))).value(); }

    static std::string token(std::size_t n) { return "device-" + std::to_string(n); }

    void enroll(std::size_t first, std::size_t count, std::uint32_t at = 1) {
        std::vector<device_change> changes;
        for (std::size_t n = first; n < first + count; ++n) {
            changes.push_back(put(token(n), {place("21231"), place("21054", "centre")}, at));
            changes.back().which.mute = {"agenda"};
            changes.back().which.locale = "fr";
        }
        EXPECT_TRUE(run(store.apply(std::move(changes))).has_value());
    }
    void withdraw(std::size_t n) { EXPECT_TRUE(run(store.apply({removal(token(n))})).has_value()); }
    std::uint64_t devices() { return run(store.count("mairies", platform::fcm)).value(); }

    /// What the ledger says of an event that goes on.
    void event_has(const std::string& id, std::uint64_t accepted, std::uint64_t dead) {
        redis::request what;
        what.add(
            "HSET", keys.ledger(id), "state", "running",
            ledger_names::outcome_field(which, outcome::accepted), accepted,
            ledger_names::outcome_field(which, outcome::dead), dead);
        ask(std::move(what));
    }
    /// As settled: they stand in the event's list.
    dead_list called_dead(const std::string& id, std::size_t first, std::size_t count) {
        std::vector<std::string> tokens;
        for (std::size_t n = first; n < first + count; ++n) {
            tokens.push_back(token(n));
        }
        const auto known = run(store.find_all("mairies", platform::fcm, std::move(tokens))).value();
        dead_list out;
        redis::request what;
        for (const auto& one : known) {
            out.emplace_back(encode_dead(which, one->which.token, one->entry), "UNREGISTERED");
            what.add("HSET", keys.dead(id), out.back().first, out.back().second);
        }
        ask(std::move(what));
        return out;
    }
    pruner::prune_outcome prune(
        const std::string& id, dead_list dead, removal_moment when = removal_moment::page,
        std::optional<answer_counts> of_page = std::nullopt) {
        return run(remover.prune(id, std::move(dead), when, of_page)).value();
    }
    dead_list left_of(const std::string& id) { return run(book.dead(id)).value(); }
    std::int64_t reported() {
        redis::request what;
        what.add("XLEN", keys.feedback());
        return ask(std::move(what)).front().integer().value();
    }
    std::vector<removal_book::open_question> questions() { return run(removals.questions()).value(); }
    restore_tally restore(bool only_count = false, wall_time since = {}) {
        return run(restore_removed(store, redis, which, since, only_count)).value();
    }

    const target which{"mairies", platform::fcm};
    boost::asio::io_context loop{1};
    system_time_source machine;
    manual_time now;
    remembering_log log;
    keyspace keys{"tocsin"};
    redis::client redis;
    store_sizing sizing{
        [](commune_id) { return 5 * row_of(platform::fcm).inhabitants_per_bucket; },
        [](std::string_view) { return 10'000ULL; }};
    device_store store{redis, keys, known_platforms(), sizing};
    ledger book{redis, keys, "one"};
    removal_book removals{redis, keys, now};
    removal_terms terms = removal_terms_of(engine_settings{});
    pruner remover{store, book, known_platforms(), now, log, terms};
};

}  // namespace tocsin::testing
