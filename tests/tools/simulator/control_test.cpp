#include "tests/tools/simulator/simulator_fixture.hpp"

#include <boost/json/array.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::sim::testing {
namespace {

class ControlTest : public SimulatorTest {
protected:
    plain_answer get(const std::string& target) { return http(running->ports().control, "GET", target); }
    plain_answer post(const std::string& target, const std::string& body) {
        return http(running->ports().control, "POST", target, body);
    }
};

TEST_F(ControlTest, IsHealthy) {
    EXPECT_EQ(get("/healthz").status, 200);
    EXPECT_EQ(get("/elsewhere").status, 404);
    EXPECT_EQ(http(running->ports().control, "DELETE", "/stats").status, 405);
}

TEST_F(ControlTest, TellsHowOftenATokenCame) {
    h2_client client = apns_client();
    client.ask(apns_headers(apns_device(10)), apns_body);
    client.ask(apns_headers(apns_device(10)), apns_body);
    const auto counts = json_of(get("/tokens?platform=apns&token=" + apns_device(10)).body);
    EXPECT_EQ(counts, json_of(R"({"received":2,"accepted":2,"dead":false})"));
    EXPECT_EQ(get("/tokens?platform=apns").status, 400);
    EXPECT_EQ(get("/tokens?platform=hms&token=x").status, 400);
}

TEST_F(ControlTest, TellsHowOftenEachOfManyTokensCame) {
    h2_client client = apns_client();
    client.ask(apns_headers(apns_device(10)), apns_body);
    client.ask(apns_headers(apns_device(12)), apns_body);
    client.ask(apns_headers(apns_device(12)), apns_body);
    const std::string asked = R"({"platform":"apns","tokens":[")" + apns_device(10) + R"(",")" +
                              apns_device(11) + R"(",")" + apns_device(12) + R"("]})";
    EXPECT_EQ(json_of(post("/tokens", asked).body), json_of(R"({"accepted":[1,0,2]})"));
    for (const char* const wrong :
         {"[]", R"({"platform":"apns"})", R"({"platform":"hms","tokens":[]})",
          R"({"platform":"apns","tokens":[7]})", R"({"platform":7,"tokens":[]})"}) {
        EXPECT_EQ(post("/tokens", wrong).status, 400) << wrong;
    }
}

TEST_F(ControlTest, AScreenHoldsOneNotificationOfEachCollapseId) {
    post("/behaviour", R"({"record":true})");
    h2_client client = apns_client();
    const auto push = [&](const char* title, const std::string& collapse) {
        auto headers = apns_headers(apns_device(1));
        if (!collapse.empty()) {
            headers.emplace_back("apns-collapse-id", collapse);
        }
        const std::string body = R"({"aps":{"alert":{"title":")" + std::string(title) + R"("}}})";
        return client.ask(headers, body).status;
    };
    EXPECT_EQ(push("Crue", "a"), 200);
    EXPECT_EQ(push("Marché", ""), 200);
    EXPECT_EQ(push("Coupure", "b"), 200);
    EXPECT_EQ(push("Marché", ""), 200);
    EXPECT_EQ(push("Fin de crue", "a"), 200);
    const auto shown = json_of(get("/screen?platform=apns&token=" + apns_device(1)).body).as_array();
    std::vector<std::string> titles;
    for (const auto& one : shown) {
        titles.emplace_back(one.at("title").as_string());
    }
    EXPECT_EQ(titles, (std::vector<std::string>{"Fin de crue", "Marché", "Coupure", "Marché"}));
    EXPECT_EQ(json_of(get("/screen?platform=apns&token=" + apns_device(2)).body), boost::json::array());
    EXPECT_EQ(get("/screen?platform=apns").status, 400);
}

TEST_F(ControlTest, ABehaviourIsInForceWhenThePostIsAnswered) {
    h2_client client = apns_client();
    EXPECT_EQ(client.ask(apns_headers(apns_device(1)), apns_body).status, 200);
    const auto answer = post("/behaviour", R"({"apns":{"errors":[{"reason":"Shutdown","share":1}]}})");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(json_of(answer.body).at("apns").at("errors").at(0).at("reason"), "Shutdown");
    EXPECT_EQ(client.ask(apns_headers(apns_device(1)), apns_body).status, 503);
    EXPECT_EQ(json_of(get("/behaviour").body), json_of(answer.body));
}

TEST_F(ControlTest, AMistakeInABehaviourIsExplainedAndChangesNothing) {
    const auto before = get("/behaviour").body;
    const auto answer = post("/behaviour", R"({"seed":5,"fcm":{"latency":{"fixed_m":1}}})");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(
        json_of(answer.body).at("error"),
        "fcm.latency.fixed_m is not a known member; did you mean fixed_ms?");
    EXPECT_EQ(post("/behaviour", "{").status, 400);
    EXPECT_EQ(get("/behaviour").body, before);
}

TEST_F(ControlTest, RequestsAreRecordedInFullWhileRecordingIsOn) {
    h2_client client = apns_client();
    client.ask(apns_headers(apns_device(1)), apns_body);
    EXPECT_EQ(json_of(get("/received").body), boost::json::array());
    EXPECT_EQ(post("/behaviour", R"({"record":true})").status, 200);
    client.ask(apns_headers(apns_device(2)), apns_body);
    client.ask(apns_headers(apns_device(3)), "");
    const auto newest = json_of(get("/received?platform=apns&limit=1").body).as_array();
    ASSERT_EQ(newest.size(), 1U);
    EXPECT_EQ(newest[0].at("token").as_string(), apns_device(3));
    EXPECT_EQ(newest[0].at("status"), 400);
    const auto all = json_of(get("/received").body).as_array();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[1].at("body").as_string(), apns_body);
    const auto& headers = all[1].at("headers").as_array();
    EXPECT_NE(
        std::find(headers.begin(), headers.end(), json_of(R"(["apns-topic","fr.example.mairies"])")),
        headers.end());
    EXPECT_EQ(json_of(get("/received?platform=fcm").body), boost::json::array());
}

TEST_F(ControlTest, ResetStartsTheCountsAgain) {
    h2_client client = apns_client();
    client.ask(apns_headers(apns_device(1)), apns_body);
    ASSERT_EQ(json_of(get("/stats").body).at("apns").at("accepted"), 1);
    EXPECT_EQ(post("/reset", "").status, 200);
    const auto stats_now = json_of(get("/stats").body);
    EXPECT_EQ(stats_now.at("apns").at("accepted"), 0);
    EXPECT_EQ(stats_now.at("apns").at("tokens_distinct"), 0);
    client.ask(apns_headers(apns_device(1)), apns_body);
    EXPECT_EQ(stats("apns").at("accepted"), 1);
    EXPECT_EQ(stats("apns").at("tokens_accepted_twice"), 0);
}

TEST_F(ControlTest, APortThatIsTakenIsNamed) {
    simulator_options second = test_options(directory.path());
    second.ports.fcm = running->ports().control;
    const auto started = simulator::start(second);
    ASSERT_FALSE(started.has_value());
    EXPECT_EQ(started.error().code, "port");
    EXPECT_EQ(
        started.error().message, "port " + std::to_string(second.ports.fcm) +
                                     " of 127.0.0.1 is taken by another program; choose another port for "
                                     "FCM, or 0 for any that is free");
}

TEST_F(ControlTest, AnAddressThatIsNoneIsNamed) {
    simulator_options second = test_options(directory.path());
    second.address = "nowhere";
    const auto started = simulator::start(second);
    ASSERT_FALSE(started.has_value());
    EXPECT_EQ(started.error().message, "\"nowhere\" is not an IP address to listen on");
}

TEST_F(ControlTest, StoppingTwiceIsFineAndChangingAfterwardsIsRefused) {
    h2_client client = apns_client();
    client.ask(apns_headers(apns_device(1)), apns_body);
    running->stop();
    running->stop();
    EXPECT_FALSE(client.run_until([] { return false; }));
    EXPECT_FALSE(running->change(json_of("{}")).has_value());
    EXPECT_EQ(stats("apns").at("accepted"), 1);
}

TEST_F(ControlTest, AStoppedSimulatorRefusesConnections) {
    const bound_ports ports = running->ports();
    running->stop();
    for (const std::uint16_t port : {ports.apns, ports.sandbox, ports.fcm, ports.oauth, ports.control}) {
        boost::asio::io_context loop;
        boost::asio::ip::tcp::socket late(loop);
        error_code ec;
        late.connect({boost::asio::ip::address_v4::loopback(), port}, ec);
        EXPECT_EQ(ec, boost::asio::error::connection_refused) << port;
    }
}

TEST_F(ControlTest, AStoppedSimulatorLeavesNobodyWaiting) {
    namespace asio = boost::asio;
    asio::io_context loop;
    const bound_ports ports = running->ports();
    std::vector<asio::ip::tcp::socket> clients;
    for (const std::uint16_t port : {ports.apns, ports.sandbox, ports.fcm, ports.oauth, ports.control}) {
        // Connected, and silent: in the middle of a handshake, or between two requests.
        clients.emplace_back(loop).connect({asio::ip::address_v4::loopback(), port});
    }
    running->stop();
    std::size_t ended = 0;
    char byte = 0;
    for (auto& client : clients) {
        client.async_read_some(asio::buffer(&byte, 1), [&](const error_code& ec, std::size_t) {
            EXPECT_TRUE(ec == asio::error::eof || ec == asio::error::connection_reset) << ec;
            ++ended;
        });
    }
    loop.run_for(std::chrono::seconds(5));
    EXPECT_EQ(ended, clients.size());
}

}  // namespace
}  // namespace tocsin::sim::testing
