#include "engine/delivery/restorer.hpp"

#include "engine/audience/removal_traces.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/delivery/removal_stage.hpp"
#include "tests/support/redis_cluster.hpp"
#include "tests/support/redis_server.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <chrono>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::removal_stage;

void remove_on_the_providers_word(
    removal_stage& here, const std::string& id, std::size_t first, std::size_t count) {
    here.event_has(id, 10'000, count);
    here.prune(id, here.called_dead(id, first, count));
}

std::vector<device> everybody(removal_stage& here) {
    std::vector<device> out;
    EXPECT_TRUE(here.run(here.store.for_each(
                             "mairies", platform::fcm, [&](const device& one) { out.push_back(one); }))
                    .has_value());
    std::ranges::sort(out, {}, &device::token);
    return out;
}

bool same(const device& a, const device& b) {
    return a.token == b.token && a.follow == b.follow && a.mute == b.mute && a.locale == b.locale &&
           a.registered_at == b.registered_at;
}

/// The clock of Redis tells what is before it from what is after.
void wait_until_later_than_the_unregistration(
    const testing::redis_server& server, const removal_stage& here) {
    while (server.cli(
               {"EVAL",
                "local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000) > "
                "tonumber(redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]) and 1 or 0",
                "1", here.keys.unregistered("mairies", platform::fcm)}) != "1") {
    }
}

TEST(RestorerTest, WhoWasRemovedComesBackAsItWas) {
    const testing::redis_server server;
    removal_stage here(server.url());
    here.enroll(0, 1'000);
    const auto before = everybody(here);
    remove_on_the_providers_word(here, "crue", 0, 250);
    remove_on_the_providers_word(here, "gel", 250, 750);
    ASSERT_EQ(here.devices(), 0U);
    EXPECT_EQ(here.restore(true).restored, 1'000U);
    ASSERT_EQ(here.devices(), 0U) << "only counted";
    EXPECT_EQ(here.restore().restored, 1'000U);
    const auto after = everybody(here);
    EXPECT_TRUE(std::ranges::equal(before, after, same));
    EXPECT_EQ(here.restore().present, 1'000U);
    EXPECT_EQ(testing::roster_entries(here.loop, here.redis, here.store).at(removal_stage::token(7)), 2);
}

TEST(RestorerTest, WhoRegisteredAgainStaysAsRegisteredAndWhomTheAppUnregisteredStaysAway) {
    const testing::redis_server server;
    removal_stage here(server.url());
    here.enroll(0, 4);
    remove_on_the_providers_word(here, "crue", 0, 4);
    here.enroll(0, 2, 77);
    here.withdraw(1);  // Came back, and left.
    here.withdraw(2);  // Was away, and is told so.
    const restore_tally done = here.restore();
    EXPECT_EQ(done.restored, 1U);
    EXPECT_EQ(done.present, 1U);
    EXPECT_EQ(done.unregistered, 2U);
    const auto after = everybody(here);
    ASSERT_EQ(after.size(), 2U);
    EXPECT_EQ(after[0].registered_at, 77U);
    EXPECT_EQ(after[1].token, removal_stage::token(3));
    EXPECT_EQ(after[1].registered_at, 1U);
}

TEST(RestorerTest, WhomTheAppUnregistersWhileARestoreRunsStaysAway) {
    using namespace boost::asio::experimental::awaitable_operators;
    const testing::redis_server server;
    removal_stage here(server.url());
    here.enroll(0, 3'000);
    remove_on_the_providers_word(here, "crue", 0, 3'000);
    redis::client app(
        here.loop.get_executor(), redis::parse_address(server.url()).value(), here.machine, here.log);
    device_store theirs(app, here.keys, known_platforms(), here.sizing);
    // One after another, newest and oldest first: before, while and after each is brought back.
    constexpr std::size_t many = 60;
    const auto unregister = [&]() -> boost::asio::awaitable<result<>> {
        for (std::size_t i = 0; i < many; ++i) {
            std::vector<device_change> one{
                testing::removal(removal_stage::token(i % 2 == 0 ? 2'999 - i : i * 40))};
            const auto done = co_await theirs.apply(std::move(one));
            if (done.has_error()) {
                co_return done.error();
            }
        }
        co_return result<>();
    };
    auto restore = restore_removed(here.store, here.redis, here.which, wall_time{}, false);
    auto away = unregister();
    const auto [done, left] = here.run(std::move(restore) && std::move(away));
    ASSERT_TRUE(done.has_value() && left.has_value());
    EXPECT_EQ(here.devices(), 3'000U - many);
    EXPECT_EQ(done->restored + done->unregistered, 3'000U);
}

TEST(RestorerTest, WhomTheAppTakesOutBetweenItsRemovalAndItsTraceStaysAway) {
    const testing::redis_server server;
    removal_stage here(server.url());
    here.enroll(0, 2);
    const std::string entry =
        here.run(here.store.find("mairies", platform::fcm, removal_stage::token(0))).value()->entry;
    const removal_traces traces(here.redis, here.keys);
    redis::request before;
    traces.expect(before, "mairies", platform::fcm, 1h);
    const wall_time begun(std::chrono::milliseconds(here.ask(std::move(before)).front().integer().value()));
    here.withdraw(0);
    redis::request after;
    traces.keep(
        after, "mairies", platform::fcm, {{removal_stage::token(0), entry, {testing::place("21231")}}}, 1h,
        begun);
    // What its app said came before the trace was written, and after the removal that it is about.
    wait_until_later_than_the_unregistration(server, here);
    here.ask(std::move(after));
    EXPECT_EQ(here.restore().unregistered, 1U);
    EXPECT_EQ(here.devices(), 1U);
}

TEST(RestorerTest, AnotherLifeThatEndedToTheProvidersWordComesBackAfterAnUnregistration) {
    const testing::redis_server server;
    removal_stage here(server.url());
    here.enroll(0, 1);
    remove_on_the_providers_word(here, "crue", 0, 1);
    here.withdraw(0);
    wait_until_later_than_the_unregistration(server, here);
    here.enroll(0, 1, 5);
    remove_on_the_providers_word(here, "gel", 0, 1);
    EXPECT_EQ(here.restore().restored, 1U);
    EXPECT_EQ(everybody(here).at(0).registered_at, 5U);
}

TEST(RestorerTest, NothingIsKeptForLongerThanItShould) {
    const testing::redis_server server;
    removal_stage here(server.url());
    here.enroll(0, 3);
    remove_on_the_providers_word(here, "crue", 0, 2);
    here.withdraw(0);
    const std::string removed = here.keys.removed_devices("mairies", platform::fcm);
    const std::int64_t left = std::stol(server.cli({"PTTL", removed}));
    EXPECT_GT(left, 7 * 24 * 3'600'000LL - 60'000);
    EXPECT_LE(left, 7 * 24 * 3'600'000LL);
    removal_traces traces(here.redis, here.keys);
    ASSERT_TRUE(here.run(traces.trim("mairies", platform::fcm, 1h)).has_value());
    EXPECT_EQ(server.cli({"XLEN", removed}), "2");
    // An entry of long ago, beside the new one.
    server.cli({"DEL", removed});
    server.cli({"XADD", removed, "1-1", "devices", "x"});
    ASSERT_TRUE(here.run(traces.trim("mairies", platform::fcm, 1h)).has_value());
    EXPECT_EQ(server.cli({"XLEN", removed}), "0");
}

TEST(RestorerTest, WhoDiedOneByOneIsKeptAsLongAsWhoDiedTogether) {
    const testing::redis_server server;
    removal_stage here(server.url());
    // A device a page, as villages have it.
    constexpr std::size_t many = 15'000;
    const removal_traces traces(here.redis, here.keys);
    const std::string entry = encode_roster_entry(device{});
    for (std::size_t n = 0; n < many;) {
        redis::request some;
        for (std::size_t i = 0; i < 1'000; ++i, ++n) {
            const removal_trace one{
                removal_stage::token(n), entry, {testing::place("21231"), testing::place("21054", "centre")}};
            traces.keep(some, "mairies", platform::fcm, {one}, 7 * 24h, wall_time{});
        }
        here.ask(std::move(some));
    }
    EXPECT_EQ(here.restore(true).restored, many);
}

TEST(RestorerTest, WhereNothingIsToBeKeptNothingIs) {
    const testing::redis_server server;
    removal_stage here(server.url());
    here.terms.kept_for = 0ms;
    pruner forgetful(here.store, here.book, known_platforms(), here.now, here.log, here.terms);
    here.enroll(0, 2);
    here.event_has("crue", 1'000, 2);
    ASSERT_TRUE(
        here.run(forgetful.prune("crue", here.called_dead("crue", 0, 2), removal_moment::page)).has_value());
    EXPECT_EQ(here.devices(), 0U);
    EXPECT_EQ(server.cli({"EXISTS", here.keys.removed_devices("mairies", platform::fcm)}), "0");
    EXPECT_EQ(here.restore().restored, 0U);
}

TEST(RestorerTest, AnUnregistrationLeavesNoTraceWhereNobodyWasRemoved) {
    const testing::redis_server server;
    removal_stage here(server.url());
    here.enroll(0, 1);
    here.withdraw(0);
    EXPECT_EQ(server.cli({"EXISTS", here.keys.unregistered("mairies", platform::fcm)}), "0");
}

TEST(RestorerTest, OnAClusterHoldingConfirmingAndRestoringAreTheSame) {
    const testing::redis_cluster cluster;
    removal_stage here(cluster.url());
    here.enroll(0, 1'200);
    here.event_has("crue", 0, 1'200);
    here.prune("crue", here.called_dead("crue", 0, 1'200));
    EXPECT_EQ(here.devices(), 1'200U);
    EXPECT_EQ(here.questions().at(0).devices, 1'200U);
    here.enroll(0, 1, 9);
    EXPECT_EQ(here.run(here.remover.remove_held(here.which)).value().removed, 1'199U);
    EXPECT_EQ(here.devices(), 1U);
    EXPECT_EQ(here.reported(), 1'199);
    here.withdraw(1);
    const restore_tally done = here.restore();
    EXPECT_EQ(done.restored, 1'198U);
    EXPECT_EQ(done.unregistered, 1U);
    EXPECT_EQ(here.devices(), 1'199U);
    EXPECT_EQ(everybody(here).front().follow.size(), 2U);
}

}  // namespace
}  // namespace tocsin
