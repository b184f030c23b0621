#include "engine/audience/roster_codec.hpp"
#include "engine/control/control_board.hpp"
#include "engine/delivery/lane.hpp"
#include "engine/delivery/page.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/report.hpp"
#include "tests/engine/delivery/page_fixture.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/redis_fixture.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// Thousands of random histories of an event: engines that claim, read, send, hear good, bad, late and no
// answers, are killed, restarted, stopped, taken for dead while they live; settlements that are repeated and
// arrive in another order; clocks that jump; cancellation at any moment. Whatever happens, the promises of
// docs/explanation/guarantees.md hold. Shards, pages, lanes and the ledger on a real Redis are the real ones;
// the driver stands in for the event loop, so that every history can be repeated from its seed.

namespace tocsin {
namespace {

using namespace std::chrono_literals;

const target mairies{"mairies", platform::fcm};

/// What the provider saw.
struct provider_view {
    std::map<std::string, int> processed;  ///< By token.
    int repeats() const {
        int out = 0;
        for (const auto& [token, times] : processed) {
            out += times - 1;
        }
        return out;
    }
};

struct world {
    std::mt19937_64 random;
    testing::manual_time time;
    null_logger log;
    testing::plain_message content;
    provider_view provider;
    bool cancelled = false;

    std::size_t below(std::size_t end) {
        return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
    }
    bool one_in(std::size_t n) { return below(n) == 0; }
};

/// An engine as far as one event is concerned.
class virtual_engine {
public:
    virtual_engine(
        world& in, redis::client& redis, const keyspace& keys, std::string name, std::uint64_t seed)
        : in_(in), book_(redis, keys, std::move(name)) {
        event_ = testing::make_event(in.time, priority::normal, 0s);
        event_->id = "crue";
        lane_events tell;
        tell.page_done = [this](page& done) { finished_.push_back(&done); };
        lane_settings how;
        how.max_attempts = 4;
        line_ = std::make_unique<lane>(
            mairies, how, in.time, in.log, numbers_.add_shard(), seed, std::move(tell));
    }

    active_event& event() { return *event_; }
    ledger& book() { return book_; }
    bool idle() const { return open_.empty() && shards_.empty() && unsettled_.empty(); }
    bool drained() const { return drained_; }

    template <class Run>
    void claim(Run run, std::chrono::milliseconds lease, bool own) {
        auto answer =
            run(book_.claim("crue", mairies, 1 + in_.below(3), lease, in_.time.wall_now(), own, 1'000));
        ASSERT_TRUE(answer.has_value());
        learn(answer->state);
        drained_ = answer->open == 0 && answer->parked == 0;
        for (claimed_shard& one : answer->shards) {
            auto shard = std::make_shared<active_shard>();
            shard->event = event_;
            shard->which = mairies;
            shard->entry = std::move(one.entry);
            shard->work = std::move(one.work);
            shard->pages = page_count(shard->work);
            shards_.push_back(std::move(shard));
        }
    }

    /// Opens the next page of some shard, as worker::open_page does.
    template <class Run>
    void read(Run run) {
        if (shards_.empty()) {
            return;
        }
        const std::shared_ptr<active_shard> from = shards_.front();
        auto what = std::make_unique<page>(from, from->next, in_.time.now());
        redis::request ask;
        ask_to_open(ask, book_.keys(), "crue", what->number());
        const auto answer = run(book_.connection().execute(std::move(ask)));
        ASSERT_TRUE(answer.has_value());
        ++from->next;
        if (from->exhausted()) {
            shards_.pop_front();
        }
        if ((*answer)[1].integer() == 1) {
            ++from->settled;
            if (from->settled == from->pages) {
                ASSERT_TRUE(run(book_.complete("crue", mairies, from->entry)).has_value());
            }
            return;
        }
        what->fill_listed(&in_.content);
        page& open = *what;
        open_.emplace(&open, std::move(what));
        if (open.pushes().empty()) {
            finished_.push_back(&open);
        } else {
            line_->add(open, priority::normal);
        }
        gather();
    }

    void send() {
        for (std::size_t i = in_.below(4); i > 0; --i) {
            push* const item = line_->take(in_.time.now());
            if (item == nullptr) {
                break;
            }
            EXPECT_LT(in_.time.now(), event_->expires) << "sent after the expiry";
            EXPECT_FALSE(event_->cancelled) << "sent after this engine knew that the event is cancelled";
            in_flight_.push_back(item);
        }
        gather();
    }

    /// The provider answers one push, or loses it.
    void hear() {
        if (in_flight_.empty()) {
            return;
        }
        const std::size_t which = in_.below(in_flight_.size());
        push& item = *in_flight_[which];
        in_flight_.erase(in_flight_.begin() + static_cast<std::ptrdiff_t>(which));
        verdict said;
        said.status = 400;
        switch (in_.below(16)) {
            case 0: said.action = reaction::resend; break;
            case 1:
                said.action = reaction::unknown;
                said.status = 0;
                if (in_.one_in(2)) {
                    process(item);
                }
                break;
            case 2: said.action = reaction::retry_here; break;
            case 3:
                said.action = reaction::retry_elsewhere;
                said.retry_after = std::chrono::milliseconds(in_.below(20'000));
                break;
            case 4: said.action = reaction::drop_token; break;
            case 5: said.action = reaction::reject_push; break;
            case 6: said.action = reaction::doubt_token; break;
            default:
                said.action = reaction::accept;
                said.status = 200;
                process(item);
                break;
        }
        said.reason = "Said";
        line_->settle(item, said, in_.time.now());
        gather();
    }

    void tick() {
        line_->tick(in_.time.now());
        gather();
    }

    /// Tells the ledger of one finished page: some of them, not in order, now and then twice.
    template <class Run>
    void settle(Run run) {
        if (unsettled_.empty()) {
            return;
        }
        const std::size_t which = in_.below(unsettled_.size());
        const page_settlement what = unsettled_[which];
        unsettled_.erase(unsettled_.begin() + static_cast<std::ptrdiff_t>(which));
        for (std::size_t times = in_.one_in(8) ? 2 : 1; times > 0; --times) {
            const auto answer = run(book_.settle(what));
            ASSERT_TRUE(answer.has_value());
            learn(answer->state);
        }
    }

    /// SIGTERM: what waits is parked, what is in flight is heard, shards go back.
    template <class Run>
    void stop(Run run) {
        line_->stop(in_.time.now());
        gather();
        while (!in_flight_.empty()) {
            hear();
        }
        while (!unsettled_.empty()) {
            settle(run);
        }
        ASSERT_TRUE(open_.empty());
        for (const auto& shard : shards_) {
            ASSERT_TRUE(run(book_.release("crue", mairies, shard->entry)).has_value());
        }
        shards_.clear();
    }

private:
    void process(const push& item) { ++in_.provider.processed[std::string(item.token)]; }

    void learn(const std::string& state) {
        if (state == "cancelling") {
            event_->cancelled = true;
        }
    }

    void gather() {
        for (page* const done : std::exchange(finished_, {})) {
            const auto& from = done->from();
            ++from->settled;
            unsettled_.push_back(done->settlement(from->settled == from->pages));
            open_.erase(done);
        }
    }

    world& in_;
    metrics numbers_;
    std::shared_ptr<active_event> event_;
    ledger book_;
    std::map<page*, std::unique_ptr<page>> open_;
    std::unique_ptr<lane> line_;
    std::deque<std::shared_ptr<active_shard>> shards_;
    std::vector<push*> in_flight_;
    std::vector<page*> finished_;
    std::vector<page_settlement> unsettled_;
    bool drained_ = false;
};

class HistoriesTest : public testing::redis_fixture {
protected:
    auto runner() {
        return [this](auto work) { return run(std::move(work)); };
    }

    void plan(world& in, std::size_t devices) {
        std::vector<shard> shards;
        event_plan what;
        what.event = "crue";
        what.entry = "1-0";
        what.fields = {{"event", "{}"}, {"accepted_at", "1"}, {"targets", to_string(mairies)}};
        // Small pages: one device to five.
        for (std::size_t made = 0; made < devices;) {
            std::vector<listed_device> some;
            for (std::size_t n = 1 + in.below(5); n > 0 && made < devices; --n, ++made) {
                device which;
                which.registered_at = 1'000;
                some.push_back(
                    {0, "device-" + std::to_string(made), encode_roster_entry(which), 0, false, false});
            }
            for (shard& one : plan_devices(std::move(some), what.pages)) {
                what.pages += page_count(one);
                shards.push_back(std::move(one));
            }
        }
        what.targets.push_back({mairies, std::move(shards)});
        ledger book(redis, keys, "planner");
        ASSERT_EQ(run(book.plan(what, "running")).value(), plan_outcome::created);
    }

    std::unique_ptr<virtual_engine> engine_of(world& in, std::size_t index, time_point expires) {
        auto out = std::make_unique<virtual_engine>(
            in, redis, keys, std::string(1, static_cast<char>('a' + index)), in.random());
        out->event().expires = expires;
        return out;
    }

    void live(std::uint64_t seed) {
        world in;
        in.random.seed(seed);
        redis::request clean;
        clean.add("FLUSHALL");
        ASSERT_TRUE(run(redis.execute(std::move(clean))).has_value());
        const std::size_t devices = 1 + in.below(30);
        plan(in, devices);
        const time_point expires = in.time.now() + (in.one_in(4) ? 20s : 3'600s);
        std::vector<std::unique_ptr<virtual_engine>> engines;
        for (std::size_t i = 0; i <= in.below(3); ++i) {
            engines.push_back(engine_of(in, i, expires));
        }
        const auto run_it = runner();
        control_board board(redis, keys);
        for (std::size_t step = 20 + in.below(60); step > 0; --step) {
            const std::size_t index = in.below(engines.size());
            virtual_engine& one = *engines[index];
            switch (in.below(24)) {
                case 0:
                case 1: one.claim(run_it, 1h, false); break;
                case 2: one.claim(run_it, in.one_in(3) ? 0ms : 1h, false); break;
                case 3:
                case 4:
                case 5: one.read(run_it); break;
                case 6:
                case 7:
                case 8:
                case 9: one.send(); break;
                case 10:
                case 11:
                case 12:
                case 13:
                case 14: one.hear(); break;
                case 15:
                case 16: one.settle(run_it); break;
                case 17:
                    in.time.advance(std::chrono::milliseconds(in.below(3'000)));
                    one.tick();
                    break;
                case 18:
                    if (in.one_in(6)) {
                        in.time.advance(std::chrono::milliseconds(in.below(30'000)));
                    }
                    one.tick();
                    break;
                case 19:
                    if (in.one_in(3)) {  // kill -9, and started again under its name.
                        engines[index] = engine_of(in, index, expires);
                        engines[index]->claim(run_it, 1h, true);
                    }
                    break;
                case 20:
                    if (in.one_in(4)) {
                        one.stop(run_it);
                        engines[index] = engine_of(in, index, expires);
                    }
                    break;
                case 21:
                    if (in.one_in(20) && !in.cancelled) {
                        in.cancelled = true;
                        ASSERT_TRUE(run(board.cancel("crue")).has_value());
                    }
                    break;
                default: one.send(); break;
            }
            if (HasFatalFailure()) {
                return;
            }
        }
        finish(in, engines);
        check(in, devices);
    }

    /// No more faults: every engine ends what it holds, and then one takes over what is left.
    void finish(world& in, std::vector<std::unique_ptr<virtual_engine>>& engines) {
        const auto run_it = runner();
        for (int round = 0; round < 4'000; ++round) {
            virtual_engine* busy = nullptr;
            for (const auto& one : engines) {
                busy = one->idle() ? busy : one.get();
            }
            if (busy == nullptr) {
                busy = engines.front().get();
                busy->claim(run_it, 0ms, true);
                if (busy->idle() && busy->drained()) {
                    return;
                }
            }
            busy->read(run_it);
            busy->send();
            busy->hear();
            busy->tick();
            busy->settle(run_it);
            in.time.advance(200ms);
            if (HasFatalFailure()) {
                return;
            }
        }
        FAIL() << "the event does not come to its end";
    }

    void check(const world& in, std::size_t devices) {
        ledger book(redis, keys, "auditor");
        const auto fields = run(book.read("crue")).value();
        const event_report report = read_report("crue", fields);
        EXPECT_EQ(report.targeted, devices);
        EXPECT_EQ(report.ended(), devices) << "every device ends in exactly one outcome";
        EXPECT_EQ(fields.at("open"), "0");
        EXPECT_EQ(fields.at("parked"), "0");
        EXPECT_LE(report.count(outcome::accepted), in.provider.processed.size());
        EXPECT_LE(static_cast<std::uint64_t>(in.provider.repeats()), report.possible_duplicates)
            << "more was sent twice than was admitted";
        if (!in.cancelled) {
            EXPECT_EQ(report.count(outcome::cancelled), 0U);
        }
    }
};

// 10,000 in all, in parts that run side by side. HISTORY_SEED repeats one. Under a sanitizer each takes
// several times as long, and finds what there is to find in the first thousands.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t histories_per_part = 1'000;
#else
constexpr std::uint64_t histories_per_part = 2'500;
#endif

class ManyHistoriesTest : public HistoriesTest, public ::testing::WithParamInterface<int> {};

TEST_P(ManyHistoriesTest, KeepSumsExactNobodyLostAndNoRepeatUncounted) {
    if (const char* const one = std::getenv("HISTORY_SEED")) {
        live(std::strtoull(one, nullptr, 10));
        return;
    }
    const auto first = static_cast<std::uint64_t>(GetParam()) * histories_per_part;
    for (std::uint64_t seed = first; seed < first + histories_per_part; ++seed) {
        live(seed);
        if (HasFailure()) {
            FAIL() << "in the history HISTORY_SEED=" << seed;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Part, ManyHistoriesTest, ::testing::Range(0, 4));

}  // namespace
}  // namespace tocsin
