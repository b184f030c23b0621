#include "engine/event/receipt.hpp"
#include "tests/faults/fault_fixture.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

// What phones report while engines are killed.

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::crowd;
using testing::number;

class ReceiptsDeathTest : public testing::fault_fixture {
protected:
    /// A phone that the simulator stands for, and what its app does.
    struct phone {
        std::size_t number = 0;
        std::string commune;
        bool reported = false;

        [[nodiscard]] std::string token() const { return crowd::token(number); }
        [[nodiscard]] bool displays() const { return number * 2'654'435'761U % 1'000 < 620; }
        [[nodiscard]] bool opens() const { return number * 2'654'435'761U % 1'000 < 180; }
    };
    using sums = std::map<std::pair<receipt_kind, std::string>, std::uint32_t>;

    static std::vector<phone> phones_of(const std::vector<crowd>& crowds) {
        std::vector<phone> out;
        for (const crowd& whom : crowds) {
            for (std::size_t n = whom.first; n < whom.first + whom.count; ++n) {
                out.push_back({n, whom.commune});
            }
        }
        return out;
    }
    static void report(const phone& of, sums& to) {
        to[{receipt_kind::displayed, of.commune}] += of.displays() ? 1 : 0;
        to[{receipt_kind::opened, of.commune}] += of.opens() ? 1 : 0;
    }
    /// What the backend makes of the reports since it was last asked: a document for each kind and commune.
    std::vector<std::string> batches_of(sums& told) {
        std::vector<std::string> out;
        for (const auto& [which, devices] : std::exchange(told, {})) {
            if (devices != 0) {
                receipt one;
                one.event = "crue";
                one.app = "mairies";
                one.kind = which.first;
                one.batch = "b-" + std::to_string(batches_++);
                one.counts.emplace_back(*parse_commune_id(which.second), devices);
                out.push_back(to_json(one));
            }
        }
        return out;
    }
    /// The phones that the simulator has pushed to by now and that have not reported yet; the documents of
    /// their reports, some ten phones in each.
    std::vector<std::string> hear(std::vector<phone>& phones) {
        std::vector<std::string> out;
        sums told;
        std::size_t heard = 0;
        for (phone& one : phones) {
            const auto provider = crowd::on_apns(one.number) ? sim::provider::apns : sim::provider::fcm;
            if (one.reported || providers->counts(provider, one.token()).accepted == 0) {
                continue;
            }
            one.reported = true;
            report(one, told);
            if (++heard % 10 == 0) {
                std::ranges::move(batches_of(told), std::back_inserter(out));
            }
        }
        std::ranges::move(batches_of(told), std::back_inserter(out));
        return out;
    }

    void hand_on(std::span<const std::string> reports) {
        if (reports.empty()) {
            return;
        }
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

private:
    std::size_t batches_ = 0;
};

TEST_F(ReceiptsDeathTest, LateAndRepeatedBatchesCountOnceWhileEnginesAreKilled) {
    crowd dijon;
    dijon.count = 12'000;
    crowd beaune;
    beaune.commune = "21054";
    beaune.first = 50'000;
    beaune.count = 4'000;
    register_crowds({dijon, beaune});
    std::vector<phone> phones = phones_of({dijon, beaune});
    sums expected;
    for (const phone& one : phones) {
        report(one, expected);
    }

    auto& first = launch("first");
    auto& second = launch("second");
    publish(R"({"id":"crue","audience":["commune:21231","commune:21054"],"notification":{"title":"Crue"},)"
            R"("receipts":true})");
    std::mt19937 chance(18);
    std::vector<std::string> all;
    std::size_t kills = 0;
    ASSERT_TRUE(testing::eventually([&] {
        const std::vector<std::string> fresh = hear(phones);
        all.insert(all.end(), fresh.begin(), fresh.end());
        hand_on(fresh);
        // Some again: what was not heard of, or was, a while ago.
        std::vector<std::string> again;
        std::ranges::sample(all, std::back_inserter(again), std::ssize(fresh) / 2, chance);
        hand_on(again);
        const auto reported = static_cast<std::size_t>(std::ranges::count_if(phones, &phone::reported));
        if (kills < 2 && reported >= (kills + 1) * phones.size() / 4) {
            running_engine& killed = kills++ == 0 ? first : second;
            kill_hard(killed);
            launch_again(killed);
        }
        return reported == phones.size() && kills == 2;
    }));
    std::ranges::shuffle(all, chance);
    hand_on(all);
    const json::object result = wait_for_result("crue");
    EXPECT_EQ(number(result, "targeted"), 16'000);
    ASSERT_TRUE(testing::eventually([&] { return nothing_is_left(); }));
    const auto printed = tocsin({"report", "crue", "--json"});
    ASSERT_EQ(printed.exit_code, 0) << printed.err;
    const json::object told = json::parse(printed.out).as_object();
    EXPECT_EQ(number(told, "targeted"), 16'000);
    EXPECT_EQ(number(told, "received"), 0);
    for (const auto& [which, devices] : expected) {
        const json::object& commune = told.at("communes").at(which.second).as_object();
        EXPECT_EQ(number(commune, std::string(to_string(which.first))), devices) << which.second;
    }
    EXPECT_EQ(number(told.at("communes").at("21231").as_object(), "targeted"), 12'000);
    EXPECT_NEAR(static_cast<double>(number(told, "displayed")), 0.62 * 16'000, 160);
    EXPECT_NEAR(static_cast<double>(number(told, "opened")), 0.18 * 16'000, 160);
    EXPECT_EQ(redis.cli({"XLEN", "tocsin:dead-letters"}), "0");
}

}  // namespace
}  // namespace tocsin
