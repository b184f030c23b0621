#include "engine/core/clock.hpp"
#include "engine/core/digest.hpp"
#include "engine/core/plain_json.hpp"
#include "engine/core/rfc3339.hpp"
#include "tests/e2e/engine_fixture.hpp"
#include "tools/tocsin/admin_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>

// What a mayor asks of an event, answered by the command line: whom it reached, why one device was or was not
// sent to, and whether the paper is true.

namespace tocsin {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::apns_token;
using testing::fcm_token;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::registration_line;

class ProofTest : public testing::engine_fixture {
protected:
    static constexpr std::size_t phones = 12;

    /// Dijon with both platforms, Beaune with one device that does not want alerts.
    void register_devices() {
        std::string lines;
        for (std::size_t n = 0; n < phones; ++n) {
            lines +=
                registration_line("mairies", "apns", apns_token(n), {"commune:21231", "zone:21231:centre"});
            lines += registration_line("mairies", "fcm", fcm_token(n), {"commune:21231"});
        }
        json::object muted =
            json::parse(registration_line("mairies", "fcm", fcm_token(50), {"commune:21054"})).as_object();
        muted["mute"] = json::array{"alerte"};
        lines += json::serialize(muted) + "\n";
        lines += registration_line("mairies", "fcm", fcm_token(60), {"commune:75056"});
        import(lines);
    }
    json::object send(const std::string& id) {
        publish(
            R"({"id":")" + id + R"(","audience":["commune:21231","commune:21054"],"category":"alerte",)" +
            R"("priority":"critical","notification":{"title":"Crue <b>","body":"Évitez les quais."}})");
        return wait_for_result(id);
    }
    json::object explained(const std::string& event, const std::string& token, int exit_code) {
        const auto done = tocsin({"explain", "--event", event, "--device", token, "--json"});
        EXPECT_EQ(done.exit_code, exit_code) << done.out << done.err;
        EXPECT_THAT(done.out, Not(HasSubstr(token)));
        return json::parse(done.out).as_object();
    }
};

std::string read_file(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(ProofTest, EachDeviceIsToldWhyItWasOrWasNotSentTo) {
    options.initial.of(sim::provider::fcm).dead_share = 0;
    start_engine();
    register_devices();
    send("crue-1");

    const json::object reached = explained("crue-1", apns_token(3), 0);
    EXPECT_TRUE(reached.at("targeted").as_bool());
    EXPECT_EQ(reached.at("territory").as_string(), "commune:21231");
    EXPECT_EQ(reached.at("page").as_string(), "settled");
    EXPECT_EQ(reached.at("sent").as_string(), "yes");
    EXPECT_EQ(reached.at("outcome").as_string(), "accepted");
    std::string id(36, '\0');
    std::string stored(32, '\0');
    for (std::size_t i = 0; i < stored.size(); ++i) {
        stored[i] = static_cast<char>(std::stoul(apns_token(3).substr(2 * i, 2), nullptr, 16));
    }
    push_uuid(event_seed("crue-1"), stored, id.data());
    EXPECT_EQ(reached.at("apns_id").as_string(), id);

    const json::object muted = explained("crue-1", fcm_token(50), 0);
    EXPECT_TRUE(muted.at("muted").as_bool());
    EXPECT_EQ(muted.at("sent").as_string(), "no");
    EXPECT_TRUE(muted.at("apns_id").is_null());
    EXPECT_FALSE(explained("crue-1", fcm_token(60), 1).at("targeted").as_bool());
    EXPECT_FALSE(explained("crue-1", fcm_token(999), 1).at("known").as_bool());
    EXPECT_EQ(explained("no-such-event", fcm_token(1), 1).at("state").as_string(), "unknown");

    const auto told = tocsin({"explain", "--event", "crue-1", "--device", "device:fcm:" + fcm_token(2)});
    EXPECT_EQ(told.exit_code, 0) << told.err;
    EXPECT_THAT(told.out, HasSubstr("through commune:21231 (Dijon)"));
    EXPECT_EQ(tocsin({"explain", "--event", "crue-1", "--device", "?"}).exit_code, 2);
}

TEST_F(ProofTest, AnEventThatWaitsIsHeldOrWasRefusedIsExplainedToo) {
    start_engine();
    register_devices();
    publish(
        R"({"id":"later","audience":["commune:21231"],"notification":{"title":"Test"},"send_at":")" +
        format_rfc3339(system_time_source().wall_now() + std::chrono::hours(1)) + R"("})");
    publish(R"({"id":"refused","audience":["commune:21999"],"notification":{"title":"Test"}})");
    EXPECT_EQ(tocsin({"pause"}).exit_code, 0);
    publish(R"({"id":"held","audience":["commune:21231"],"notification":{"title":"Test"}})");
    const auto state = [&](const std::string& event) {
        const auto done = tocsin({"explain", "--event", event, "--device", fcm_token(1), "--json"});
        return std::string(json::parse(done.out).at("state").as_string());
    };
    ASSERT_TRUE(
        testing::eventually([&] { return state("later") == "scheduled" && state("held") == "running"; }));
    const json::object later = explained("later", fcm_token(1), 1);
    EXPECT_TRUE(later.at("would_be_targeted").as_bool());
    const json::object held = explained("held", fcm_token(1), 0);
    EXPECT_THAT(std::string(held.at("page").as_string()), ::testing::AnyOf("not_begun", "open", "parked"));
    EXPECT_NE(held.at("sent").as_string(), "yes");
    EXPECT_THAT(
        std::string(explained("refused", fcm_token(1), 1).at("because").as_string()),
        HasSubstr("unknown_commune"));
    EXPECT_EQ(tocsin({"report", "held", "--certificate", (directory / "x.html").string()}).exit_code, 1);
    EXPECT_FALSE(fs::exists(directory / "x.html"));
    EXPECT_EQ(tocsin({"cancel", "held"}).exit_code, 0);
    EXPECT_EQ(tocsin({"resume"}).exit_code, 0);
    wait_for_result("held");
    EXPECT_NE(explained("held", fcm_token(1), 0).at("sent").as_string(), "yes");
}

TEST_F(ProofTest, ADeviceThatDiedOfAnEventWasSentTo) {
    options.initial.of(sim::provider::fcm).dead_share = 1;
    start_engine();
    register_devices();
    const json::object result = send("crue-2");
    ASSERT_EQ(testing::number(result, "dead"), static_cast<std::int64_t>(phones));
    const json::object gone = explained("crue-2", fcm_token(4), 0);
    EXPECT_FALSE(gone.at("known").as_bool());
    EXPECT_EQ(gone.at("outcome").as_string(), "dead");
    EXPECT_EQ(gone.at("sent").as_string(), "yes");
    EXPECT_THAT(std::string(gone.at("because").as_string()), HasSubstr("UNREGISTERED"));
}

TEST_F(ProofTest, ACertificateIsTrueUntilADigitOfItIsChanged) {
    start_engine();
    register_devices();
    const json::object result = send("crue-3");
    const fs::path file = directory / "crue.html";
    const auto made = tocsin({"report", "crue-3", "--certificate", file.string(), "--json"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    const std::string page = read_file(file);
    EXPECT_THAT(page, HasSubstr("Crue &lt;b&gt;"));
    EXPECT_THAT(page, HasSubstr("Dijon"));
    // Anybody who kept the result can compute it.
    const std::string digest = sha256_hex(canonical_json(result));
    EXPECT_THAT(page, HasSubstr(digest));
    EXPECT_EQ(json::parse(made.out).at("sha256").as_string(), digest);

    const auto good = tocsin({"report", "crue-3", "--verify", file.string()});
    EXPECT_EQ(good.exit_code, 0) << good.err;
    EXPECT_THAT(good.out, HasSubstr(digest));

    const std::string find = "data-of=\"communes.21231.accepted\">" + std::to_string(2 * phones);
    std::string changed = page;
    ASSERT_NE(changed.find(find), std::string::npos);
    changed[changed.find(find) + find.size() - 1] = '9';
    std::ofstream(file, std::ios::binary) << changed;
    const auto bad = tocsin({"report", "crue-3", "--verify", file.string()});
    EXPECT_EQ(bad.exit_code, 1);
    EXPECT_THAT(
        bad.err, HasSubstr("communes.21231.accepted: the certificate says \"29\", Redis says \"24\""));
    const auto listed = tocsin({"report", "crue-3", "--verify", file.string(), "--json"});
    EXPECT_EQ(listed.exit_code, 1);
    EXPECT_FALSE(json::parse(listed.out).at("valid").as_bool());
    EXPECT_EQ(json::parse(listed.out).at("differences").as_array().size(), 1U);
    EXPECT_EQ(tocsin({"report", "no-such-event", "--verify", file.string()}).exit_code, 1);
    EXPECT_EQ(tocsin({"report", "crue-3", "--verify", (directory / "none.html").string()}).exit_code, 2);
    EXPECT_EQ(
        tocsin({"report", "crue-3", "--certificate", (directory / "no" / "such" / "folder").string()})
            .exit_code,
        1);
}

TEST_F(ProofTest, ACertificateCanBeCheckedWhenItsEventIsLongForgotten) {
    start_engine();
    register_devices();
    send("crue-6");
    const fs::path file = directory / "crue.html";
    ASSERT_EQ(tocsin({"report", "crue-6", "--certificate", file.string()}).exit_code, 0);
    ask_redis({"DEL", "tocsin:{e:crue-6}:ledger"});
    EXPECT_EQ(tocsin({"report", "crue-6"}).exit_code, 1);

    const auto good = tocsin({"report", "crue-6", "--verify", file.string()});
    EXPECT_EQ(good.exit_code, 0) << good.err;
    EXPECT_THAT(good.out, HasSubstr("unchanged"));
    EXPECT_TRUE(json::parse(tocsin({"report", "crue-6", "--verify", file.string(), "--json"}).out)
                    .at("valid")
                    .as_bool());

    const auto of_another = tocsin({"report", "crue-7", "--verify", file.string()});
    EXPECT_EQ(of_another.exit_code, 1);
    EXPECT_THAT(of_another.err, HasSubstr("Redis knows no event \"crue-7\", and no certificate of one"));
    EXPECT_THAT(of_another.err, HasSubstr("events are deleted engine.event_retention after their end"));
    EXPECT_THAT(of_another.err, Not(HasSubstr("no longer kept")));
    EXPECT_TRUE(json::parse(tocsin({"report", "crue-7", "--verify", file.string(), "--json"}).out)
                    .at("valid")
                    .is_null());

    std::string page = read_file(file);
    const std::string find = "data-of=\"communes.21231.accepted\">";
    ASSERT_NE(page.find(find), std::string::npos);
    page[page.find(find) + find.size()] = '9';
    std::ofstream(file, std::ios::binary) << page;
    const auto bad = tocsin({"report", "crue-6", "--verify", file.string()});
    EXPECT_EQ(bad.exit_code, 1);
    EXPECT_THAT(bad.err, HasSubstr("the event \"crue-6\" is no longer kept"));
    EXPECT_THAT(bad.err, HasSubstr("One certificate was made of it, and this file is none of them"));
    EXPECT_FALSE(json::parse(tocsin({"report", "crue-6", "--verify", file.string(), "--json"}).out)
                     .at("valid")
                     .as_bool());
}

TEST_F(ProofTest, ReceiptsAreInACertificateAsOfWhenItWasMade) {
    start_engine();
    register_devices();
    publish(
        R"({"id":"crue-5","audience":["commune:21231"],"receipts":true,"notification":{"title":"Crue"}})");
    wait_for_result("crue-5");
    const auto tell = [&](const std::string& batch, int devices) {
        ask_redis(
            {"XADD", "tocsin:receipts", "*", "receipt",
             R"({"event":"crue-5","app":"mairies","kind":"displayed","batch":")" + batch +
                 R"(","counts":{"21231":)" + std::to_string(devices) + "}}"});
    };
    const auto displayed = [&] {
        const auto done = tocsin({"report", "crue-5", "--csv"});
        return done.out.substr(std::min(done.out.find("21231,"), done.out.size()));
    };
    const std::string row = "," + std::to_string(2 * phones) + "," + std::to_string(2 * phones);
    tell("a", 17);
    ASSERT_TRUE(testing::eventually([&] { return displayed().find(row + ",0,17,0,") != std::string::npos; }))
        << displayed();
    const fs::path file = directory / "crue.html";
    ASSERT_EQ(tocsin({"report", "crue-5", "--certificate", file.string()}).exit_code, 0);
    EXPECT_THAT(read_file(file), HasSubstr("data-of=\"communes.21231.displayed\">17<"));
    tell("b", 2);
    ASSERT_TRUE(testing::eventually([&] { return displayed().find(",0,19,0,") != std::string::npos; }));
    EXPECT_EQ(tocsin({"report", "crue-5", "--verify", file.string()}).exit_code, 0);
    std::string page = read_file(file);
    for (std::size_t at = page.find("17"); at != std::string::npos; at = page.find("17", at + 2)) {
        page.replace(at, 2, "20");
    }
    std::ofstream(file, std::ios::binary) << page;
    const auto bad = tocsin({"report", "crue-5", "--verify", file.string()});
    EXPECT_EQ(bad.exit_code, 1);
    EXPECT_THAT(
        bad.err, HasSubstr("communes.21231.displayed: the certificate says \"20\", Redis says \"19\""));
}

TEST_F(ProofTest, TheReportIsSortedFilteredAndOpensInASpreadsheet) {
    start_engine();
    register_devices();
    send("crue-4");
    const auto plain = tocsin({"report", "crue-4", "--csv", "--sort", "accepted"});
    EXPECT_EQ(plain.exit_code, 0) << plain.err;
    EXPECT_TRUE(plain.out.starts_with("insee,name,department,population,")) << plain.out;
    EXPECT_THAT(plain.out, HasSubstr("\r\n21231,Dijon,21,"));
    EXPECT_LT(plain.out.find("21231,"), plain.out.find("21054,"));
    const auto excel = tocsin({"report", "crue-4", "--csv=excel"});
    EXPECT_TRUE(excel.out.starts_with("\xEF\xBB\xBFinsee;name;")) << excel.out;
    EXPECT_THAT(excel.out, HasSubstr(";0,000"));
    const auto other = tocsin({"report", "crue-4", "--csv", "--department", "75"});
    EXPECT_EQ(std::count(other.out.begin(), other.out.end(), '\n'), 1);
    EXPECT_EQ(tocsin({"report", "crue-4", "--department", "99"}).exit_code, 2);
    EXPECT_EQ(tocsin({"report", "crue-4", "--sort", "colour"}).exit_code, 2);
    EXPECT_EQ(tocsin({"report", "crue-4", "--csv=word"}).exit_code, 2);
    EXPECT_EQ(tocsin({"report", "crue-4", "--csv", "--json"}).exit_code, 2);
    const auto json_report = tocsin({"report", "crue-4", "--json", "--department", "21"});
    EXPECT_EQ(json::parse(json_report.out).at("communes").as_object().size(), 2U);
}

TEST_F(ProofTest, TheAgeOfTheLastCanaryThatArrivedIsAMetric) {
    start_engine();
    register_devices();
    const auto metric = [&] {
        const auto text = cli::admin_get_text(options.admin_listen, "/metrics");
        return text && text->find("\ntocsin_canary_age_seconds ") != std::string::npos;
    };
    EXPECT_FALSE(metric());
    const auto sent = tocsin({"canary", "--to", "device:fcm:" + fcm_token(1), "--deadline", "60s", "--json"});
    EXPECT_EQ(sent.exit_code, 0) << sent.out << sent.err;
    EXPECT_EQ(json::parse(sent.out).at("state").as_string(), "arrived");
    EXPECT_TRUE(testing::eventually(metric));
    const auto refused = tocsin(
        {"canary", "--to", "device:fcm:" + fcm_token(1), "--app", "nobody", "--deadline", "60s", "--json"});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_EQ(json::parse(refused.out).at("state").as_string(), "refused");
}

}  // namespace
}  // namespace tocsin
