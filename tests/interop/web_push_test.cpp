#include "engine/core/text.hpp"
#include "providers/auth/es256.hpp"
#include "tests/e2e/engine_fixture.hpp"
#include "tests/interop/foreign_server.hpp"
#include "tests/providers/auth/test_keys.hpp"
#include "tools/tocsin/admin_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/stat.h>

// The whole path, from a browser's subscription to the notification that it reads, against push services that
// decrypt with Node's own cryptography: nothing that reads a message here has written it.

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::eventually;
using testing::expect_sums_agree;
using testing::foreign_server;
using testing::number;

class WebPushInteropTest : public testing::engine_fixture {
protected:
    WebPushInteropTest() {
        const std::string key = testing::test_key::p256().pem();
        write("vapid.pem", key);
        public_key = base64url(auth::es256_signer::from_pem(key).value().public_point().value());
    }

    void write(const std::string& name, const std::string& text) {
        std::ofstream(directory / name) << text;
        ::chmod((directory / name).c_str(), 0600);
    }

    void start(json::object plan) {
        plan["public_key"] = public_key;
        services.emplace(foreign_server::kind::push, json::serialize(plan));
        write("ca.pem", services->authority().certificate());
        const json::object said = services->greeting();
        std::string origins;
        for (const json::value& port : said.at("ports").as_array()) {
            origins += (origins.empty() ? "" : ", ") + std::string(R"("https://localhost:)") +
                       json::serialize(port) + '"';
        }
        write(
            "tocsin.toml", "[redis]\nurl = \"" + redis.socket_url() +
                               "\"\n[engine]\nthreads = 2\nlease = \"1s\"\n[admin]\nlisten = \"" +
                               options.admin_listen +
                               "\"\n"
                               "[[app]]\nid = \"mairies\"\ncommunes = [\"*\"]\n"
                               "[app.webpush]\nvapid_key_file = \"vapid.pem\"\n"
                               "subject = \"mailto:dsi@example.fr\"\nurl = \"https://www.example.fr/\"\n"
                               "ca_file = \"ca.pem\"\nservices = [" +
                               origins + "]\n");
        const auto done = run({"devices", "import", std::string(said.at("registrations").as_string())});
        ASSERT_EQ(done.exit_code, 0) << done.err;
        begin();
    }
    testing::finished_process run(std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), {"--config", (directory / "tocsin.toml").string()});
        return testing::run_tocsin(arguments);
    }
    void begin() {
        auto started = cli::child_process::start(
            TOCSIN_EXECUTABLE, {"serve", "--config", (directory / "tocsin.toml").string()},
            directory / "engine.log");
        ASSERT_TRUE(started.has_value()) << started.error().message;
        engine.reset();
        engine.emplace(std::move(*started));
    }
    [[nodiscard]] std::string engine_log() const {
        std::ifstream in(directory / "engine.log");
        return {std::istreambuf_iterator<char>(in), {}};
    }
    [[nodiscard]] static std::map<std::string, std::int64_t> reasons(const json::object& result) {
        std::map<std::string, std::int64_t> out;
        for (const auto& entry : result.at("reasons").as_object()) {
            out.emplace(entry.key(), entry.value().to_number<std::int64_t>());
        }
        return out;
    }

    std::string public_key;
    std::optional<foreign_server> services;
};

constexpr auto event = R"({"id":"crue","audience":["commune:21231"],"priority":"critical","ttl":120,
    "notification":{"title":"Crue de l'Ouche","body":"Évitez les quais."},"data":{"article":"1234"},
    "collapse_id":"crue-ouche"})";

TEST_F(WebPushInteropTest, EveryAnswerEndsAsItShouldAndEveryBrowserReadsWhatWasSent) {
    start(
        {{"origins", 3},
         {"devices", 90},
         {"words", json::object{
                       {"gone", 2},
                       {"bare", 2},
                       {"unknown", 2},
                       {"large", 2},
                       {"elsewhere", 2},
                       {"bad", 2},
                       {"often", 2},
                       {"down", 2},
                       {"trouble", 1},
                       {"lost", 1},
                       {"reset", 1},
                       {"fine", 2},
                       {"queued", 2}}}});
    publish(event);
    const json::object result = wait_for_result("crue");
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "targeted"), 90);
    EXPECT_EQ(number(result, "accepted"), 78);
    EXPECT_EQ(number(result, "dead"), 6);
    EXPECT_EQ(number(result, "rejected"), 6);
    EXPECT_EQ(
        reasons(result), (std::map<std::string, std::int64_t>{
                             {"webpush:BadWebPushTopic", 2},
                             {"webpush:Gone", 2},
                             {"webpush:InvalidSubscription", 2},
                             {"webpush:NotFound", 2},
                             {"webpush:PayloadTooLarge", 2},
                             {"webpush:Redirected", 2}}));
    wait_for_length("feedback", 6);
    for (const std::string& entry : entries("feedback")) {
        const json::object said = json::parse(entry).as_object();
        EXPECT_EQ(said.at("platform"), "webpush");
        EXPECT_TRUE(std::string_view(said.at("token").as_string()).starts_with("https://localhost:"));
    }
    EXPECT_TRUE(eventually([&] {
        return run({"devices", "count", "--json"}).out.find("84") != std::string::npos;
    }));
    EXPECT_EQ(stop_engine(), 0);

    const json::object seen = services->stop();
    EXPECT_EQ(json::serialize(seen.at("problems")), "[]");
    EXPECT_EQ(seen.at("texts").as_object().size(), 90U);
    const auto shown = json::parse(R"({"web_push":8030,"notification":{"title":"Crue de l'Ouche",
        "body":"Évitez les quais.","navigate":"https://www.example.fr/","tag":"crue-ouche","silent":false,
        "requireInteraction":true,"data":{"article":"1234"}}})");
    for (const auto& entry : seen.at("texts").as_object()) {
        for (const json::value& text : entry.value().as_array()) {
            EXPECT_EQ(json::parse(text.as_string()), shown) << entry.key();
        }
    }
    // No key and no salt is ever used twice, and no token is made anew for a request.
    EXPECT_EQ(seen.at("keys"), seen.at("requests"));
    EXPECT_EQ(seen.at("salts"), seen.at("requests"));
    EXPECT_EQ(seen.at("tokens").as_object().size(), 3U);
    for (const auto& origin : seen.at("tokens").as_object()) {
        EXPECT_EQ(origin.value(), 1) << origin.key();
    }
    EXPECT_EQ(seen.at("headers").at("urgency"), "high");
    EXPECT_EQ(seen.at("headers").at("topic"), "crue-ouche");
    EXPECT_EQ(seen.at("headers").at("content-type"), "application/octet-stream");
}

TEST_F(WebPushInteropTest, TenThousandBrowsersOfThreeServicesAreEachAccountedForWhateverTheServicesDo) {
    constexpr int devices = 10'000;
    start(
        {{"origins", 3},
         {"devices", devices},
         {"delay_ms", 20},
         {"words", json::object{
                       {"gone", 200},
                       {"unknown", 100},
                       {"large", 50},
                       {"elsewhere", 50},
                       {"often", 300},
                       {"down", 300},
                       {"trouble", 30},
                       {"lost", 20},
                       {"reset", 20},
                       {"queued", 200}}}});
    publish(event);
    const json::object result = wait_for_result("crue");
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "targeted"), devices);
    EXPECT_EQ(number(result, "dead"), 300);
    EXPECT_EQ(number(result, "rejected"), 100);
    EXPECT_EQ(number(result, "accepted"), devices - 400);
    EXPECT_EQ(stop_engine(), 0);
    const json::object seen = services->stop();
    EXPECT_EQ(json::serialize(seen.at("problems")), "[]");
    EXPECT_EQ(seen.at("texts").as_object().size(), std::size_t{devices}) << "each has read its message";
    EXPECT_EQ(seen.at("keys"), seen.at("requests"));
    EXPECT_EQ(seen.at("salts"), seen.at("requests"));
    EXPECT_EQ(seen.at("by_origin").as_object().size(), 3U);
}

TEST_F(WebPushInteropTest, AKeyThatIsRefusedPausesTheAppAndRemovesNobody) {
    start(
        {{"origins", 2},
         {"devices", 300},
         {"words", json::object{{"unauthorized", 150}, {"mismatch", 150}}}});
    publish(event);
    EXPECT_TRUE(eventually([&] { return engine_log().find("lane.paused") != std::string::npos; }));
    EXPECT_NE(engine_log().find("webpush.credential_refused"), std::string::npos);
    EXPECT_TRUE(
        eventually([&] { return !cli::admin_get_text(options.admin_listen, "/readyz").has_value(); }));
    std::string said;
    EXPECT_TRUE(eventually([&] {
        said = cli::admin_get_text(options.admin_listen, "/api/v1/status").value_or("");
        return std::regex_search(said, std::regex("mairies/webpush is paused: [A-Z]"));
    })) << said;
    EXPECT_NE(said.find("vapid_key_file"), std::string::npos) << said;
    EXPECT_EQ(stop_engine(), 0);
    EXPECT_EQ(entries("feedback").size(), 0U);
    EXPECT_EQ(entries("results").size(), 0U);
    EXPECT_NE(run({"devices", "count", "--json"}).out.find("300"), std::string::npos);
    // At most what was under way when the third refusal came, on each thread to each service, and some
    // probes.
    EXPECT_LE(services->stop().at("requests").to_number<std::int64_t>(), 150);
}

TEST_F(WebPushInteropTest, AKillInMidEventLosesNobody) {
    constexpr int devices = 1'500;
    start({{"origins", 3}, {"devices", devices}, {"delay_ms", 100}, {"streams", 30}});
    publish(event);
    ASSERT_TRUE(eventually([&] {
        const auto status = run({"status", "crue", "--json"});
        return status.exit_code == 0 && number(json::parse(status.out).as_object(), "accepted") > 0;
    }));
    ::kill(engine->id(), SIGKILL);
    begin();
    // A signal that comes before it knows what to do with it would end it otherwise.
    ASSERT_TRUE(eventually([&] {
        const std::string both = engine_log();
        return both.find("engine.started") != both.rfind("engine.started");
    }));
    const json::object result = wait_for_result("crue");
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "targeted"), devices);
    EXPECT_EQ(number(result, "accepted"), devices);
    EXPECT_EQ(stop_engine(), 0);
    const json::object seen = services->stop();
    EXPECT_EQ(json::serialize(seen.at("problems")), "[]");
    EXPECT_EQ(seen.at("texts").as_object().size(), std::size_t{devices});
    EXPECT_LE(seen.at("requests").to_number<std::int64_t>() - devices, number(result, "possible_duplicates"));
}

}  // namespace
}  // namespace tocsin
