#include "engine/plan/receipt_book.hpp"

#include "engine/plan/ledger_names.hpp"
#include "engine/redis/error.hpp"
#include "providers/known_platforms.hpp"
#include "tests/support/redis_fixture.hpp"

#include <set>
#include <string>
#include <vector>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

const commune_id dijon = *parse_commune_id("21231");
const commune_id beaune = *parse_commune_id("21054");

class ReceiptBookTest : public testing::redis_fixture {
protected:
    ReceiptBookTest() {
        server.cli({"HSET", keys.ledger("crue"), "entry", "1-0", "state", "running", "receipts", "1"});
    }
    static receipt of(std::string batch, receipt_kind kind, std::uint32_t devices, commune_id where = dijon) {
        receipt out;
        out.event = "crue";
        out.app = "mairies";
        out.kind = kind;
        out.batch = std::move(batch);
        out.counts.emplace_back(where, devices);
        return out;
    }
    std::vector<receipt_fate> count(const std::vector<receipt>& receipts, std::string entry = "1-0") {
        std::vector<receipt_book::handed_in> all;
        for (const receipt& one : receipts) {
            all.push_back({&one, at});
        }
        return run(book.count("crue", std::move(entry), std::move(all))).value();
    }
    std::string field(const std::string& name) { return server.cli({"HGET", keys.ledger("crue"), name}); }

    wall_time at{1'795'000'000s};
    receipt_book book{redis, keys};
};

TEST_F(ReceiptBookTest, EachBatchOfAnEventCountsOnceHoweverItIsHandedIn) {
    const auto first = count(
        {of("a", receipt_kind::displayed, 30), of("b", receipt_kind::displayed, 7),
         of("a", receipt_kind::displayed, 30), of("c", receipt_kind::opened, 2, beaune)});
    EXPECT_EQ(
        first,
        (std::vector{
            receipt_fate::counted, receipt_fate::counted, receipt_fate::repeated, receipt_fate::counted}));
    EXPECT_EQ(count({of("b", receipt_kind::displayed, 7)}).front(), receipt_fate::repeated);
    // The id is what counts, not what is told under it.
    EXPECT_EQ(count({of("b", receipt_kind::opened, 1)}).front(), receipt_fate::repeated);
    EXPECT_EQ(field("w:displayed:21231"), "37");
    EXPECT_EQ(field("w:opened:21054"), "2");
    EXPECT_EQ(field("w:opened:21231"), "");
    EXPECT_EQ(field("batches"), "3");
}

TEST_F(ReceiptBookTest, AReceiptCountsUntilTheEndOfItsWindowByTheTimeItWasHandedIn) {
    server.cli({"HSET", keys.ledger("crue"), "receipts_until", "1795000000000"});
    EXPECT_EQ(count({of("in time", receipt_kind::received, 1)}).front(), receipt_fate::counted);
    at += 1ms;
    EXPECT_EQ(count({of("too late", receipt_kind::received, 1)}).front(), receipt_fate::late);
    // One that was counted and is read again, by an engine that comes back, is no news.
    EXPECT_EQ(count({of("in time", receipt_kind::received, 1)}).front(), receipt_fate::repeated);
    EXPECT_EQ(field("w:received:21231"), "1");
}

TEST_F(ReceiptBookTest, NothingCountsOnceTheDocumentMayHaveBeenMade) {
    server.cli({"HSET", keys.ledger("crue"), "receipts_until", "1795000000000"});
    server.cli({"HSET", keys.ledger("crue"), "receipts_closed_at", "1795000000500"});
    EXPECT_EQ(count({of("in time", receipt_kind::received, 1)}).front(), receipt_fate::late);
    EXPECT_EQ(field("w:received:21231"), "");
}

TEST_F(ReceiptBookTest, AnotherEventUnderTheSameIdIsNotCountedFor) {
    const auto fates = count({of("a", receipt_kind::received, 1), of("b", receipt_kind::received, 1)}, "2-0");
    EXPECT_EQ(fates, (std::vector{receipt_fate::other_event, receipt_fate::other_event}));
    server.cli({"DEL", keys.ledger("crue")});
    EXPECT_EQ(count({of("a", receipt_kind::received, 1)}).front(), receipt_fate::other_event);
    EXPECT_EQ(server.cli({"DBSIZE"}), "0");
}

TEST_F(ReceiptBookTest, MoreBatchesThanAreRememberedAreRefusedAndKnownOnesAreStillKnown) {
    EXPECT_EQ(count({of("known", receipt_kind::received, 1)}).front(), receipt_fate::counted);
    server.cli({"HSET", keys.ledger("crue"), "batches", std::to_string(receipt_book::most_batches)});
    const auto fates = count({of("known", receipt_kind::received, 1), of("new", receipt_kind::received, 1)});
    EXPECT_EQ(fates, (std::vector{receipt_fate::repeated, receipt_fate::overflow}));
}

TEST_F(ReceiptBookTest, ADamagedPartOfTheBatchesRefusesItsOwnAndCountsTheOthers) {
    std::vector<receipt> all;
    for (int i = 0; i < 600; ++i) {
        all.push_back(of("b" + std::to_string(i), receipt_kind::received, 1));
    }
    for (std::size_t part = 0; part < keyspace::batch_parts; part += 2) {
        server.cli({"SET", keys.batches("crue", part), "something else"});
    }
    const auto fates = count(all);
    const auto counted = static_cast<std::size_t>(std::ranges::count(fates, receipt_fate::counted));
    const auto damaged = static_cast<std::size_t>(std::ranges::count(fates, receipt_fate::damaged));
    EXPECT_EQ(counted + damaged, all.size());
    EXPECT_GT(counted, 0U);
    EXPECT_GT(damaged, 0U);
    EXPECT_EQ(field("w:received:21231"), std::to_string(counted));
}

TEST_F(ReceiptBookTest, TermsAreThoseOfTheLedger) {
    EXPECT_EQ(run(book.terms_of("nobody")).value(), nullptr);
    const auto places = territories::load({}).value();
    std::vector<selector> selectors{{selector_kind::commune, "21231"}, {selector_kind::zone, "21054:centre"}};
    const auto whom = audience::resolve(known_platforms(), selectors, places).value();
    redis::request write;
    write.add(
        "HSET", keys.ledger("crue"), ledger_names::audience, whom.encode(), ledger_names::targets,
        "mairies/apns;mairies/fcm;dijon/fcm", ledger_names::named_communes, "2A004;75056");
    ASSERT_TRUE(run(redis.execute(std::move(write))).has_value());
    const auto terms = run(book.terms_of("crue")).value();
    ASSERT_NE(terms, nullptr);
    EXPECT_TRUE(terms->asked);
    EXPECT_TRUE(terms->begun);
    EXPECT_EQ(terms->entry, "1-0");
    EXPECT_EQ(terms->apps, (std::set<std::string, std::less<>>{"dijon", "mairies"}));
    for (const char* const insee : {"21231", "21054", "2A004", "75056"}) {
        EXPECT_TRUE(terms->targets(*parse_commune_id(insee))) << insee;
    }
    EXPECT_FALSE(terms->targets(*parse_commune_id("21055")));
    server.cli({"DEL", keys.ledger("crue")});
    server.cli({"SET", keys.ledger("crue"), "x"});
    EXPECT_EQ(run(book.terms_of("crue")).error(), redis::redis_errc::damaged);
}

}  // namespace
}  // namespace tocsin
