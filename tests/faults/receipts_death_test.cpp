#include "engine/event/receipt.hpp"
#include "tests/faults/fault_fixture.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <random>
#include <span>
#include <string>
#include <vector>

// What phones report while engines are killed.

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::crowd;
using testing::number;

class ReceiptsDeathTest : public testing::fault_fixture {
protected:
    /// What a backend hands on if `share` of a crowd report: batches of one to six devices, each written
    /// twice.
    void add_reports(
        std::vector<std::string>& to, const crowd& whom, receipt_kind kind, double share,
        std::mt19937& chance) const {
        std::uniform_int_distribution<std::uint32_t> size(1, 6);
        auto left = static_cast<std::uint32_t>(static_cast<double>(whom.count) * share);
        while (left != 0) {
            receipt one;
            one.event = "crue";
            one.app = whom.app;
            one.kind = kind;
            one.batch = whom.commune + "-" + std::string(to_string(kind)) + "-" + std::to_string(to.size());
            one.counts.emplace_back(*parse_commune_id(whom.commune), std::min(left, size(chance)));
            left -= one.counts.front().second;
            to.insert(to.end(), 2, to_json(one));
        }
    }

    void hand_on(std::span<const std::string> reports) {
        std::vector<std::string> command{
            "EVAL", "for _, r in ipairs(ARGV) do redis.call('XADD', KEYS[1], '*', 'receipt', r) end", "1",
            "tocsin:receipts"};
        command.insert(command.end(), reports.begin(), reports.end());
        redis.cli(command);
    }
    bool nothing_is_left() {
        const std::string groups = redis.cli({"XINFO", "GROUPS", "tocsin:receipts"}) + "\n";
        return groups.find("pending\n0\n") != std::string::npos &&
               groups.find("lag\n0\n") != std::string::npos;
    }
};

TEST_F(ReceiptsDeathTest, LateAndRepeatedBatchesCountOnceWhileEnginesAreKilled) {
    crowd dijon;
    dijon.count = 12'000;
    crowd beaune;
    beaune.commune = "21054";
    beaune.first = 50'000;
    beaune.count = 4'000;
    register_crowds({dijon, beaune});
    std::mt19937 chance(18);
    std::vector<std::string> reports;
    for (const crowd& whom : {dijon, beaune}) {
        add_reports(reports, whom, receipt_kind::displayed, 0.62, chance);
        add_reports(reports, whom, receipt_kind::opened, 0.18, chance);
    }
    std::ranges::shuffle(reports, chance);

    auto& first = launch("first");
    auto& second = launch("second");
    publish(R"({"id":"crue","audience":["commune:21231","commune:21054"],"notification":{"title":"Crue"},)"
            R"("receipts":true})");
    wait_for_requests(1);  // From the first push on.
    constexpr std::size_t at_once = 400;
    const std::size_t portions = (reports.size() + at_once - 1) / at_once;
    for (std::size_t i = 0; i < portions; ++i) {
        const std::size_t from = i * at_once;
        hand_on(std::span(reports).subspan(from, std::min(at_once, reports.size() - from)));
        if (i == portions / 4 || i == portions / 2) {
            running_engine& killed = i == portions / 2 ? second : first;
            kill_hard(killed);
            launch_again(killed);
        }
    }
    const json::object result = wait_for_result("crue");
    EXPECT_EQ(number(result, "targeted"), 16'000);
    ASSERT_TRUE(testing::eventually([&] { return nothing_is_left(); }));
    const auto told = tocsin({"report", "crue", "--json"});
    ASSERT_EQ(told.exit_code, 0) << told.err;
    const json::object report = json::parse(told.out).as_object();
    EXPECT_EQ(number(report, "targeted"), 16'000);
    EXPECT_EQ(number(report, "received"), 0);
    EXPECT_EQ(number(report, "displayed"), 9'920);
    EXPECT_EQ(number(report, "opened"), 2'880);
    const json::object& in_dijon = report.at("communes").at("21231").as_object();
    EXPECT_EQ(number(in_dijon, "targeted"), 12'000);
    EXPECT_EQ(number(in_dijon, "displayed"), 7'440);
    EXPECT_EQ(number(in_dijon, "opened"), 2'160);
    const json::object& in_beaune = report.at("communes").at("21054").as_object();
    EXPECT_EQ(number(in_beaune, "displayed"), 2'480);
    EXPECT_EQ(number(in_beaune, "opened"), 720);
    EXPECT_EQ(redis.cli({"XLEN", "tocsin:dead-letters"}), "0");
}

}  // namespace
}  // namespace tocsin
