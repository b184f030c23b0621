#include "engine/audience/roster_codec.hpp"
#include "tests/engine/plan/ledger_fixture.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::mairies;

class LedgerReachedTest : public testing::ledger_fixture {};

TEST_F(LedgerReachedTest, WhomAnEventReachedIsRememberedByPageAndReadBack) {
    const auto device = [](const std::string& token) {
        return hashed_device{commune_id(*parse_commune_id("21231")).value(), hash_token(token)};
    };
    start(2);
    const auto shards = claim(book).shards;
    const auto remembered = [&](const claimed_shard& from, const std::string& sent,
                                const std::string& not_sent) {
        page_settlement out = settlement_of(from, 1);
        out.devices = 2;
        out.reached = encode_hashed({device(sent)});
        out.others = encode_hashed({device(not_sent)});
        out.remember_for = 1h;
        return out;
    };
    open(shards[0].work.first_page);
    ASSERT_TRUE(run(book.settle(remembered(shards[0], "sent", "cancelled"))).has_value());
    EXPECT_EQ(run(book.reached("crue", mairies)).value(), std::vector{device("sent")});
    // Two engines opened the other page: nobody knows whom the first has sent to.
    open(shards[1].work.first_page);
    open(shards[1].work.first_page);
    ASSERT_TRUE(run(book.settle(remembered(shards[1], "also sent", "perhaps"))).has_value());
    // Settled again, it adds nothing.
    ASSERT_TRUE(run(other.settle(remembered(shards[1], "a third", "a fourth"))).has_value());
    auto all = run(book.reached("crue", mairies)).value();
    EXPECT_THAT(all, ::testing::UnorderedElementsAre(device("sent"), device("also sent"), device("perhaps")));
    // It outlives the event.
    ASSERT_EQ(
        run(book.finish(
                "crue", R"({"state":"cancelled"})", field("revision"), 1'000, time.wall_now(), 24h,
                {mairies}))
            .value(),
        finish_outcome::published);
    EXPECT_EQ(run(book.reached("crue", mairies)).value().size(), 3U);
    EXPECT_NE(server.cli({"PTTL", "tocsin:{e:crue}:reached:mairies/fcm"}), "-1");
}

TEST_F(LedgerReachedTest, KnowsWhetherAnEventIsUnderWayOverOrUnknown) {
    EXPECT_EQ(run(book.known("crue", {mairies})).value(), ledger::knowledge::none);
    start(1);
    EXPECT_EQ(run(book.known("crue", {mairies})).value(), ledger::knowledge::under_way);
    server.cli({"HSET", "tocsin:{e:crue}:ledger", "state", "finished"});
    EXPECT_EQ(run(book.known("crue", {mairies})).value(), ledger::knowledge::ended);
    server.cli({"DEL", "tocsin:{e:crue}:ledger"});
    EXPECT_EQ(run(book.known("crue", {mairies})).value(), ledger::knowledge::none);
    server.cli({"HSET", "tocsin:{e:crue}:reached:mairies/fcm", "0", ""});
    EXPECT_EQ(run(book.known("crue", {mairies})).value(), ledger::knowledge::ended);
}

}  // namespace
}  // namespace tocsin
