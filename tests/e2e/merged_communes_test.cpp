#include "tests/e2e/engine_fixture.hpp"
#include "tools/tocsin/admin_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace tocsin::testing {
namespace {

namespace json = boost::json;

/// Communes that merge: what residents registered with is no commune's code any more.
class MergedCommunesTest : public engine_fixture {
protected:
    ~MergedCommunesTest() override { ::unsetenv("TOCSIN_TERRITORIES_FILE"); }

    /// From here on every process has territories in which 01002 is a part of 01004.
    void install_newer_territories() {
        const std::string file = (directory / "newer.csv").string();
        std::ofstream(file) << "insee,name,population,department,epci\n"
                               "01004,Ambérieu-en-Bugey,15000,01,240100883\n"
                               "21231,Dijon,160000,21,242100410\n";
        ::setenv("TOCSIN_TERRITORIES_FILE", file.c_str(), 1);
    }
    void register_by_stream(const std::string& document) {
        ask_redis({"XADD", "tocsin:registrations", "*", "registration", document});
    }
    [[nodiscard]] json::array followed_by(const std::string& token) {
        const auto shown = tocsin({"devices", "show", token, "--json"});
        if (shown.exit_code != 0) {
            return {};
        }
        const json::value all = json::parse(shown.out);
        const json::value& one = all.is_array() ? all.as_array().at(0) : all;
        return one.at("follow").as_array();
    }
    [[nodiscard]] json::array outside() {
        const auto counted = tocsin({"devices", "count", "--json"});
        EXPECT_EQ(counted.exit_code, 0) << counted.err;
        return json::parse(counted.out).at("outside").as_array();
    }
};

TEST_F(MergedCommunesTest, OldCodeAmongKnownOnesLeavesNobodyUnregistered) {
    start_engine();
    // Merged, an arrondissement, a postal code, no commune at all: each beside a commune that there is.
    const std::vector<std::string> codes{"01018", "75101", "21000", "21999"};
    for (std::size_t i = 0; i < codes.size(); ++i) {
        register_by_stream(registration_line(
            "mairies", "fcm", fcm_token(i), {"commune:" + codes[i], "commune:21231", "zone:21231:centre"}));
    }
    wait_for_length("dead-letters", codes.size());
    const std::vector<std::string> letters = entries("dead-letters");
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const json::value letter = json::parse(letters[i]);
        const std::string reason(letter.at("reason").as_string());
        EXPECT_TRUE(reason.starts_with("unknown_commune: follow: no commune \"" + codes[i] + "\"")) << reason;
        EXPECT_NE(reason.find("registered for the other 2 territories"), std::string::npos) << reason;
        EXPECT_EQ(followed_by(fcm_token(i)), (json::array{"commune:21231", "zone:21231:centre"}));
        // An audience is told in the same words.
        publish(R"({"audience":["commune:)" + codes[i] + R"("],"notification":{"title":"Test"}})");
        wait_for_length("dead-letters", codes.size() + i + 1);
        const std::string other(json::parse(entries("dead-letters").back()).at("reason").as_string());
        const std::string hint = other.substr(other.find("no commune"));
        EXPECT_NE(reason.find(hint), std::string::npos) << reason << '\n' << other;
    }
    EXPECT_EQ(followed_by(fcm_token(99)), json::array());
    register_by_stream(registration_line("mairies", "fcm", fcm_token(99), {"commune:01018"}));
    wait_for_length("dead-letters", 2 * codes.size() + 1);
    EXPECT_EQ(followed_by(fcm_token(99)), json::array()) << "nothing is left to register for";
    // Whoever wants to be gone is gone, whatever the backend believes that they followed.
    register_by_stream(
        R"({"op":"unregister","app":"mairies","platform":"fcm","token":")" + fcm_token(0) +
        R"(","follow":["commune:01018"]})");
    EXPECT_TRUE(eventually([&] { return followed_by(fcm_token(0)).empty(); }));
}

TEST_F(MergedCommunesTest, FollowersOfAVanishedCommuneAreToldOfMovedAndReached) {
    start_simulator();
    import(
        registration_line("mairies", "fcm", fcm_token(1), {"commune:01002"}) +
        registration_line("mairies", "fcm", fcm_token(2), {"commune:01002", "commune:01004"}) +
        registration_line("mairies", "apns", apns_token(3), {"commune:01002", "zone:01002:bourg"}) +
        registration_line("mairies", "fcm", fcm_token(4), {"commune:21231"}));
    EXPECT_EQ(outside(), json::array());
    install_newer_territories();

    const json::array lost = outside();
    ASSERT_EQ(lost.size(), 3U);  // The commune on both platforms, and the zone.
    EXPECT_NE(tocsin({"devices", "count"}).out.find("tocsin devices merge 01002"), std::string::npos);
    const auto checked = tocsin({"check-config", "--online"});
    EXPECT_NE(checked.out.find("2 devices follow commune:01002"), std::string::npos) << checked.out;

    // What the store holds can be put back as it was.
    const auto exported = tocsin({"devices", "export", "--show-tokens"});
    ask_redis({"FLUSHALL", "ASYNC"});
    const auto imported = tocsin({"devices", "import", "-"}, exported.out);
    EXPECT_EQ(imported.exit_code, 0) << imported.err;
    EXPECT_NE(imported.err.find("commune:01002"), std::string::npos) << imported.err;
    EXPECT_EQ(outside(), lost);
    EXPECT_EQ(tocsin({"devices", "export", "--show-tokens"}).out, exported.out);

    start_engine();
    ASSERT_TRUE(eventually([&] {
        const auto metrics = cli::admin_get_text(options.admin_listen, "/metrics");
        return metrics && metrics->find("tocsin_followers_outside{app=\"mairies\",platform=\"fcm\"} 2") !=
                              std::string::npos;
    }));
    std::ostringstream log;
    log << std::ifstream(directory / "engine.log").rdbuf();
    EXPECT_NE(log.str().find("devices.follow_unknown_communes"), std::string::npos);

    const auto rehearsed = tocsin({"devices", "merge", "01002", "01004", "--dry-run", "--json"});
    EXPECT_EQ(json::parse(rehearsed.out).at("moved").to_number<int>(), 3) << rehearsed.out;
    EXPECT_EQ(outside(), lost);
    const auto moved = tocsin({"devices", "merge", "01002", "01004", "--json"});
    EXPECT_EQ(moved.exit_code, 0) << moved.err;
    EXPECT_EQ(json::parse(moved.out).at("moved").to_number<int>(), 3) << moved.out;
    EXPECT_EQ(outside(), json::array());
    EXPECT_EQ(followed_by(apns_token(3)), (json::array{"commune:01004", "zone:01004:bourg"}));
    EXPECT_EQ(tocsin({"devices", "merge", "01002", "01004"}).exit_code, 0) << "again does no harm";

    publish(R"({"id":"all","audience":["commune:01004"],"notification":{"title":"Test"}})");
    const auto result = wait_for_result("all");
    EXPECT_EQ(number(result, "targeted"), 3);
    EXPECT_EQ(number(result, "accepted"), 3);
}

TEST_F(MergedCommunesTest, InseesTableMovesWhatItKnowsAndNamesTheRest) {
    start_simulator();
    import(
        registration_line("mairies", "fcm", fcm_token(1), {"commune:01002"}) +
        registration_line("mairies", "fcm", fcm_token(2), {"commune:01005"}));
    install_newer_territories();
    const std::string table = (directory / "mvtcommune.csv").string();
    std::ofstream(table) << "MOD,DATE_EFF,TYPECOM_AV,COM_AV,TNCC_AV,TYPECOM_AP,COM_AP\n"
                            "32,2026-01-01,COM,01002,1,COM,01004\n32,2026-01-01,COM,01002,1,COMD,01002\n"
                            "32,2026-01-01,COM,01004,1,COM,01004\n";
    const auto moved = tocsin({"devices", "merge", "--movements", table, "--json"});
    EXPECT_EQ(moved.exit_code, 1) << "01005 is left";
    EXPECT_EQ(json::parse(moved.out).at("moved").to_number<int>(), 1);
    EXPECT_EQ(json::parse(moved.out).at("unclear"), (json::array{"01005"}));
    EXPECT_EQ(followed_by(fcm_token(1)), (json::array{"commune:01004"}));
}

TEST_F(MergedCommunesTest, ZonesOfTheSameNameAreNotMixedUnlessAsked) {
    start_simulator();
    import(
        registration_line("mairies", "fcm", fcm_token(1), {"commune:01002", "zone:01002:centre"}) +
        registration_line("mairies", "fcm", fcm_token(2), {"zone:01004:centre"}));
    install_newer_territories();
    const auto moved = tocsin({"devices", "merge", "01002", "01004"});
    EXPECT_EQ(moved.exit_code, 1);
    EXPECT_NE(moved.err.find("--join-zones"), std::string::npos) << moved.err;
    EXPECT_EQ(followed_by(fcm_token(1)), (json::array{"zone:01002:centre", "commune:01004"}));
    EXPECT_EQ(tocsin({"devices", "merge", "01002", "01004", "--join-zones"}).exit_code, 0);
    EXPECT_EQ(followed_by(fcm_token(1)), (json::array{"commune:01004", "zone:01004:centre"}));
}

TEST_F(MergedCommunesTest, WhatCannotBeMergedIsAUsageError) {
    start_simulator();
    for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{
             {"devices", "merge"},
             {"devices", "merge", "01002"},
             {"devices", "merge", "01002", "01002"},
             {"devices", "merge", "01002", "01018"},
             {"devices", "merge", "1002", "01004"},
             {"devices", "merge", "01002", "01004", "--known"}}) {
        EXPECT_EQ(tocsin(wrong).exit_code, 2) << wrong.back();
    }
}

}  // namespace
}  // namespace tocsin::testing
