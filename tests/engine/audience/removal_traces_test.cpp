#include "engine/audience/removal_traces.hpp"

#include "engine/core/digest.hpp"
#include "engine/redis/check.hpp"
#include "tests/engine/audience/device_changes.hpp"
#include "tests/support/redis_fixture.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class RemovalTracesTest : public testing::redis_fixture {
protected:
    static constexpr std::chrono::milliseconds a_week = 7 * 24h;

    static removal_trace trace(const std::string& token) {
        return {token, "entry of " + token, {testing::place("21054", "centre"), testing::place("21231")}};
    }
    result<redis::replies> ask(redis::request what) {
        return run(redis::execute_checked(redis, std::move(what)));
    }
    result<redis::replies> expect() {
        redis::request what;
        traces.expect(what, "mairies", platform::fcm, a_week);
        return ask(std::move(what));
    }
    result<redis::replies> keep(
        const std::vector<removal_trace>& gone, std::chrono::milliseconds kept_for = a_week) {
        redis::request what;
        traces.keep(what, "mairies", platform::fcm, gone, kept_for, begun);
        return ask(std::move(what));
    }
    result<redis::replies> forget(const std::vector<std::string>& tokens) {
        redis::request what;
        traces.forget(what, "mairies", platform::fcm, tokens);
        return ask(std::move(what));
    }
    std::vector<std::string> kept() {
        std::vector<std::string> out;
        std::string from;
        do {
            const auto page = run(traces.read("mairies", platform::fcm, wall_time{}, from)).value();
            for (const auto& one : page.removals) {
                EXPECT_EQ(one.begun, begun);
                EXPECT_EQ(one.which.entry, "entry of " + one.which.token);
                EXPECT_EQ(one.which.follow, trace("").follow);
                out.push_back(one.which.token);
            }
            from = page.next;
        } while (!from.empty());
        return out;
    }
    std::map<std::string, wall_time> unregistered(wall_time since = {}) {
        return run(traces.unregistered("mairies", platform::fcm, since)).value();
    }
    static std::string hash_of(const std::string& token) { return std::string(hash_token(token).view()); }

    const wall_time begun{1'795'000'000'000ms};
    removal_traces traces{redis, keys};
    const std::string removed_key = keys.removed_devices("mairies", platform::fcm);
    const std::string unregistered_key = keys.unregistered("mairies", platform::fcm);
    const std::string held_key = keys.held_devices("mairies", platform::fcm);
};

TEST_F(RemovalTracesTest, WhoIsKeptIsReadAgainTheNewestFirst) {
    ASSERT_TRUE(keep({trace("a"), trace("b")}).has_value());
    ASSERT_TRUE(keep({trace("c")}).has_value());
    EXPECT_EQ(kept(), (std::vector<std::string>{"c", "b", "a"}));
}

TEST_F(RemovalTracesTest, ManyAreReadPageByPageAndEachOnce) {
    std::vector<std::string> wanted;
    for (int n = 0; n < 1'001; ++n) {
        wanted.insert(wanted.begin(), "device-" + std::to_string(n));
        ASSERT_TRUE(keep({trace(wanted.front())}).has_value());
    }
    EXPECT_EQ(kept(), wanted);
}

TEST_F(RemovalTracesTest, WithNothingToKeepNothingIsWritten) {
    redis::request what;
    traces.keep(what, "mairies", platform::fcm, {}, a_week, begun);
    traces.keep(what, "mairies", platform::fcm, {trace("a")}, 0ms, begun);
    EXPECT_TRUE(what.empty());
}

TEST_F(RemovalTracesTest, WhoeverUnregistersIsWrittenDownOnlyWhereSomebodyCouldBeBroughtBack) {
    ASSERT_TRUE(forget({"before"}).has_value());
    EXPECT_TRUE(unregistered().empty());
    const auto told = expect();
    ASSERT_TRUE(told.has_value());
    const wall_time now(std::chrono::milliseconds(told->front().integer().value()));
    ASSERT_TRUE(forget({"a", "b"}).has_value());
    const auto gone = unregistered();
    ASSERT_EQ(gone.size(), 2U);
    EXPECT_GE(gone.at(hash_of("a")), now);
    EXPECT_TRUE(gone.contains(hash_of("b")));
    EXPECT_TRUE(unregistered(now + 1h).empty());
}

TEST_F(RemovalTracesTest, WhoeverUnregistersIsHeldNoLonger) {
    server.cli({"HSET", held_key, "another", "x"});
    redis::request hold;
    hold.add("HSET", held_key, hash_of("a"), "x");
    ASSERT_TRUE(ask(std::move(hold)).has_value());
    ASSERT_TRUE(forget({"a"}).has_value());
    EXPECT_EQ(server.cli({"HKEYS", held_key}), "another");
}

TEST_F(RemovalTracesTest, WhatIsOlderThanItIsKeptGoesAndTheRestStays) {
    server.cli({"XADD", removed_key, "1000-0", "devices", "old"});
    server.cli({"ZADD", unregistered_key, "1000", "old"});
    ASSERT_TRUE(expect().has_value());
    ASSERT_TRUE(keep({trace("new")}).has_value());
    ASSERT_TRUE(forget({"new"}).has_value());
    ASSERT_TRUE(run(traces.trim("mairies", platform::fcm, a_week)).has_value());
    EXPECT_EQ(kept(), std::vector<std::string>{"new"});
    EXPECT_EQ(unregistered().size(), 1U);
}

// An app takes its device out. What another program has written beside it must not keep it in.
TEST_F(RemovalTracesTest, UnregisteringGoesOnWhateverAnotherProgramHasWrittenHere) {
    struct row {
        std::string foreign;
        bool no_longer_held;
        bool written_down;
    };
    const std::vector<row> rows{
        {"nothing", true, true},
        {held_key, false, true},
        {unregistered_key, true, false},
        {removed_key, true, true},
    };
    for (const row& each : rows) {
        server.cli({"FLUSHALL"});
        redis::request before;
        before.add("HSET", held_key, hash_of("a"), "x");
        ASSERT_TRUE(ask(std::move(before)).has_value());
        ASSERT_TRUE(expect().has_value());
        server.cli({"DEL", each.foreign});
        server.cli({"SET", each.foreign, "x"});
        EXPECT_TRUE(forget({"a"}).has_value()) << each.foreign;
        EXPECT_EQ(server.cli({"GET", each.foreign}), "x");
        if (each.no_longer_held) {
            EXPECT_EQ(server.cli({"HLEN", held_key}), "0") << each.foreign;
        }
        if (each.written_down) {
            EXPECT_TRUE(unregistered().contains(hash_of("a"))) << each.foreign;
        }
    }
}

// Nobody is brought back who may have unregistered, and nobody is removed who could not be brought back.
TEST_F(RemovalTracesTest, NobodyIsRemovedWhereAnotherProgramHasWritten) {
    for (const std::string& foreign : {removed_key, unregistered_key}) {
        server.cli({"FLUSHALL"});
        server.cli({"SET", foreign, "x"});
        EXPECT_EQ(expect().error(), redis::redis_errc::damaged) << foreign;
        EXPECT_EQ(server.cli({"KEYS", "*"}), foreign) << "and nothing else was written";
    }
}

TEST_F(RemovalTracesTest, NobodyIsCalledRegisteredWhereThatCannotBeKnown) {
    server.cli({"SET", unregistered_key, "x"});
    EXPECT_EQ(
        run(traces.unregistered("mairies", platform::fcm, wall_time{})).error(), redis::redis_errc::damaged);
}

}  // namespace
}  // namespace tocsin
