#include "engine/core/clock.hpp"
#include "engine/core/rfc3339.hpp"
#include "tests/e2e/engine_fixture.hpp"
#include "tools/tocsin/admin_client.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

namespace tocsin {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::apns_token;
using testing::fcm_token;
using testing::registration_line;
using testing::run_tocsin;

std::string read_file(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

class CommandLineTest : public testing::engine_fixture {
protected:
    /// The simulator's tocsin.toml with one thing changed, in a file of its own beside it.
    std::string changed_config(const std::string& find, const std::string& replace) {
        std::string text = read_file(providers->configuration_file());
        const std::size_t at = text.find(find);
        EXPECT_NE(at, std::string::npos) << find << "\n" << text;
        text.replace(at, find.size(), replace);
        const fs::path file = options.directory / "changed.toml";
        std::ofstream(file) << text;
        return file.string();
    }
};

TEST_F(CommandLineTest, SendPrintsStatusIdMeaningAndLatency) {
    start_simulator();
    const auto sent = tocsin(
        {"send", "--app", "mairies", "--platform", "apns", "--token", apns_token(1), "--title", "Test"});
    EXPECT_EQ(sent.exit_code, 0) << sent.err;
    EXPECT_NE(sent.out.find("200"), std::string::npos) << sent.out;
    EXPECT_TRUE(std::regex_search(sent.out, std::regex("provider id +[0-9a-f]{8}-"))) << sent.out;
    EXPECT_TRUE(std::regex_search(sent.out, std::regex("latency +[0-9.]+ ms"))) << sent.out;
    EXPECT_NE(sent.out.find("meaning"), std::string::npos);
    EXPECT_EQ(sent.out.find(apns_token(1)), std::string::npos);
    const auto fcm = tocsin(
        {"send", "--app", "mairies", "--platform", "fcm", "--token", fcm_token(1), "--title", "Test",
         "--json"});
    EXPECT_EQ(fcm.exit_code, 0) << fcm.err;
    EXPECT_EQ(json::parse(fcm.out).at("status").to_number<int>(), 200);
}

TEST_F(CommandLineTest, SendToADeadTokenExitsOneAndSaysWhatToDo) {
    options.initial.of(sim::provider::apns).dead_share = 1;
    options.initial.of(sim::provider::fcm).dead_share = 1;
    start_simulator();
    const auto apns = tocsin(
        {"send", "--app", "mairies", "--platform", "apns", "--token", apns_token(1), "--title", "Test"});
    EXPECT_EQ(apns.exit_code, 1);
    EXPECT_NE(apns.out.find("410 Unregistered"), std::string::npos) << apns.out;
    EXPECT_TRUE(std::regex_search(apns.out, std::regex("in an event .*removed from the store"))) << apns.out;
    EXPECT_FALSE(std::regex_search(apns.out, std::regex("meaning .*removed"))) << apns.out;
    const auto fcm = tocsin(
        {"send", "--app", "mairies", "--platform", "fcm", "--token", fcm_token(1), "--title", "Test",
         "--json"});
    EXPECT_EQ(fcm.exit_code, 1);
    EXPECT_EQ(json::parse(fcm.out).at("reason").as_string(), "UNREGISTERED");
    EXPECT_GT(json::parse(fcm.out).at("meaning").as_string().size(), 20U);
}

TEST_F(CommandLineTest, SendToAProviderThatIsNotThereExits69) {
    start_simulator();
    providers->stop();
    const auto sent = tocsin(
        {"send", "--app", "mairies", "--platform", "apns", "--token", apns_token(1), "--title", "Test"});
    EXPECT_EQ(sent.exit_code, 69) << sent.out << sent.err;
    EXPECT_NE(sent.err.find("onnection refused"), std::string::npos) << sent.err;
    EXPECT_EQ(sent.err.find("http2."), std::string::npos) << sent.err;
}

TEST_F(CommandLineTest, SendSaysHowAConnectionEndedInsteadOfAnswering) {
    options.initial.of(sim::provider::apns).transport.close_share = 1;
    options.initial.of(sim::provider::fcm).transport.refuse_share = 1;
    start_simulator();
    const auto cut = tocsin(
        {"send", "--app", "mairies", "--platform", "apns", "--token", apns_token(1), "--title", "Test"});
    EXPECT_EQ(cut.exit_code, 69) << cut.out;
    EXPECT_NE(cut.err.find("was lost after the request was written"), std::string::npos) << cut.err;
    const auto refused = tocsin(
        {"send", "--app", "mairies", "--platform", "fcm", "--token", fcm_token(1), "--title", "Test",
         "--json"});
    EXPECT_EQ(refused.exit_code, 69) << refused.out;
    EXPECT_NE(refused.out.find("before the provider took the request"), std::string::npos) << refused.out;
}

TEST_F(CommandLineTest, ConfigurationProblemsNameFileLineKeyAndASuggestionAndExit78) {
    start_simulator();
    const auto check = [&](const std::string& find, const std::string& replace,
                           const std::vector<std::string>& said) {
        const std::string file = changed_config(find, replace);
        const auto done = run_tocsin({"check-config", "--config", file});
        EXPECT_EQ(done.exit_code, 78) << replace;
        EXPECT_TRUE(std::regex_search(done.err, std::regex("changed\\.toml:[0-9]+: "))) << done.err;
        for (const std::string& word : said) {
            EXPECT_NE(done.err.find(word), std::string::npos) << word << " in " << done.err;
        }
    };
    check("key_file", "key_fil", {"key_fil", "key_file"});
    check("rate = 0", "rate = \"fast\"", {"rate"});
    check("AuthKey_", "Missing_", {"key_file", "Missing_"});
    check("[[app]]", "[[app]", {});
    check(options.redis_url, "mysql://127.0.0.1/0", {"redis.url", "mysql"});
    check("communes = [\"21231\"]", "communes = [\"21999\", \"21998\"]", {"app.communes", "21999", "21998"});
    const fs::path csv = options.directory / "places.csv";
    std::ofstream(csv) << "insee,name\n";
    check("[[app]]", "[territories]\nfile = \"places.csv\"\n[[app]]", {"territories.file", csv.string()});
    EXPECT_EQ(run_tocsin({"serve", "--config", changed_config("key_file", "key_fil")}).exit_code, 78);
    EXPECT_EQ(run_tocsin({"check-config", "--config", (directory / "none.toml").string()}).exit_code, 78);
}

TEST_F(CommandLineTest, AKeyThatOthersCanReadIsRefused) {
    start_simulator();
    for (const auto& file : fs::directory_iterator(options.directory)) {
        if (file.path().extension() == ".p8") {
            fs::permissions(file.path(), fs::perms::others_read, fs::perm_options::add);
        }
    }
    const auto done = tocsin({"check-config"});
    EXPECT_EQ(done.exit_code, 78);
    EXPECT_NE(done.err.find("key_file"), std::string::npos) << done.err;
    EXPECT_NE(done.err.find("chmod 600"), std::string::npos) << done.err;
}

TEST_F(CommandLineTest, CommandsThatAskRedisAloneDoWithoutTheKeysOfApps) {
    start_simulator();
    const std::string there = changed_config("key_file = \"AuthKey_", "key_file = \"$CREDENTIALS_DIRECTORY/");
    const auto run = [&](std::vector<std::string> command) {
        command.insert(command.end(), {"--config", there});
        return run_tocsin(command);
    };
    for (const auto& command : std::vector<std::vector<std::string>>{
             {"status"}, {"devices", "count"}, {"dead-letters", "list"}, {"report", "unheard-of"}}) {
        EXPECT_EQ(run(command).err.find("CREDENTIALS_DIRECTORY"), std::string::npos) << command.front();
    }
    for (const auto& file : fs::directory_iterator(options.directory)) {
        if (file.path().filename().string().starts_with("service-account")) {
            fs::remove(file);
        }
    }
    EXPECT_EQ(run({"devices", "count"}).exit_code, 0);
    const auto checked = run({"check-config"});
    EXPECT_EQ(checked.exit_code, 78);
    EXPECT_NE(checked.err.find("CREDENTIALS_DIRECTORY is not set"), std::string::npos) << checked.err;
}

TEST_F(CommandLineTest, CheckConfigOnlineShakesHandsWithEveryone) {
    start_simulator();
    const auto good = tocsin({"check-config", "--online"});
    EXPECT_EQ(good.exit_code, 0) << good.out << good.err;
    EXPECT_NE(good.out.find("redis"), std::string::npos);
    EXPECT_NE(good.out.find("no problem found"), std::string::npos) << good.out;
    EXPECT_EQ(good.out.find("--online"), std::string::npos) << good.out;
    providers->stop();
    const auto bad = tocsin({"check-config", "--online"});
    EXPECT_EQ(bad.exit_code, 69);
    EXPECT_NE(bad.out.find("FAIL"), std::string::npos) << bad.out;
    EXPECT_EQ(bad.out.find("no problem found"), std::string::npos) << bad.out;
}

TEST_F(CommandLineTest, CheckConfigAloneSaysThatNobodyWasAsked) {
    start_simulator();
    const auto alone = tocsin({"check-config"});
    EXPECT_EQ(alone.exit_code, 0) << alone.err;
    EXPECT_NE(alone.out.find("--online"), std::string::npos) << alone.out;
    EXPECT_NE(alone.out.find("communes which have merged"), std::string::npos) << alone.out;
    const auto for_programs = tocsin({"check-config", "--json"});
    EXPECT_TRUE(json::parse(for_programs.out).at("ok").as_bool()) << for_programs.out;
}

TEST_F(CommandLineTest, CheckConfigOnlineTellsOfAnAccountThatGetsNoAccessToken) {
    options.initial.oauth.fail_status = 403;
    start_simulator();
    const auto refused = tocsin({"check-config", "--online", "--json"});
    EXPECT_EQ(refused.exit_code, 78) << refused.out << refused.err;
    const json::value report = json::parse(refused.out);
    EXPECT_FALSE(report.at("ok").as_bool());
    const auto is_token = [](const json::value& one) {
        return one.at("peer").as_string().find("access token") != json::string::npos;
    };
    const json::array& peers = report.at("online").as_array();
    const auto* const token = std::ranges::find_if(peers, is_token);
    ASSERT_NE(token, peers.end()) << refused.out;
    EXPECT_NE(token->at("problem").as_string().find("403"), json::string::npos) << refused.out;
    EXPECT_EQ(tocsin({"check-config"}).exit_code, 0);
}

TEST_F(CommandLineTest, AnAdminAddressThatIsNoneIsAConfigurationErrorOfServeAndOfCheckConfig) {
    start_simulator();
    for (const char* const command : {"check-config", "serve"}) {
        const auto done = tocsin({command, "--admin.listen", "999.0.0.1:9464"});
        EXPECT_EQ(done.exit_code, 78) << command;
        EXPECT_NE(done.err.find("999.0.0.1"), std::string::npos) << done.err;
    }
}

TEST_F(CommandLineTest, PublishWithWatchFollowsToTheResult) {
    start_engine();
    import(registration_line("mairies", "fcm", fcm_token(1), {"commune:21231"}));
    const auto done = tocsin(
        {"publish", "--to", "commune:21231", "--title", "Test", "--priority", "critical", "--data",
         "article=1234", "--watch", "--json"});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_EQ(json::parse(done.out).at("accepted").to_number<int>(), 1);
    const std::string id(json::parse(done.out).at("event").as_string());
    const auto status = tocsin({"status", id});
    EXPECT_EQ(status.exit_code, 0);
    EXPECT_NE(status.out.find("finished"), std::string::npos) << status.out;
    EXPECT_EQ(tocsin({"status", "no-such-event"}).exit_code, 1);
    EXPECT_EQ(tocsin({"status", "--json"}).exit_code, 0);
}

TEST_F(CommandLineTest, FlagsOfPublishChangeTheEventOfTheFile) {
    start_simulator();
    const std::string event =
        R"({"id":"from-file","audience":["commune:21231"],"priority":"low",)"
        R"("notification":{"title":"Old","body":"Kept","badge":1},"data":{"a":"1","b":"2"},)"
        R"("expires_at":")" +
        format_rfc3339(system_time_source().wall_now() + std::chrono::hours(1)) + R"("})";
    const auto as_it_is = tocsin({"publish", "--file", "-"}, event);
    ASSERT_EQ(as_it_is.exit_code, 0) << as_it_is.err;
    EXPECT_EQ(entries("events").back(), event);
    const auto changed = tocsin(
        {"publish", "--file", "-", "--id", "again", "--title", "New", "--priority", "high", "--to",
         "commune:21054", "--data", "b=3", "--ttl", "60"},
        event);
    ASSERT_EQ(changed.exit_code, 0) << changed.err;
    EXPECT_EQ(changed.out, "again\n");
    EXPECT_EQ(
        json::parse(entries("events").back()), json::parse(R"({"id":"again","audience":["commune:21054"],
        "priority":"high","notification":{"title":"New","body":"Kept","badge":1},"data":{"a":"1","b":"3"},
        "ttl":60})"));
    const auto broken = tocsin({"publish", "--file", "-", "--title", "New"}, R"({"audience":)");
    EXPECT_EQ(broken.exit_code, 2);
    const auto wrong = tocsin(
        {"publish", "--file", "-", "--title", "New"},
        R"({"audience":["commune:21231"],"notification":"Old"})");
    EXPECT_EQ(wrong.exit_code, 2);
    EXPECT_NE(wrong.err.find("notification"), std::string::npos) << wrong.err;
}

TEST_F(CommandLineTest, PublishOfARefusedEventFailsWithItsReason) {
    start_engine();
    const auto typo = tocsin({"publish", "--to", "comune:21231", "--title", "Test"});
    EXPECT_EQ(typo.exit_code, 2);
    EXPECT_NE(typo.err.find("commune"), std::string::npos) << typo.err;
    const auto nowhere = tocsin({"publish", "--to", "commune:21999", "--title", "Test", "--watch"});
    EXPECT_EQ(nowhere.exit_code, 1);
    EXPECT_NE(nowhere.err.find("unknown_commune"), std::string::npos) << nowhere.err;
    const auto listed = tocsin({"dead-letters", "list", "--json"});
    EXPECT_EQ(listed.exit_code, 0);
    const json::array letters = json::parse(listed.out).as_array();
    ASSERT_EQ(letters.size(), 1U);
    const auto shown = tocsin({"dead-letters", "show", std::string(letters[0].at("id").as_string())});
    EXPECT_EQ(shown.exit_code, 0);
    EXPECT_NE(shown.out.find("commune:21999"), std::string::npos) << shown.out;
    EXPECT_EQ(tocsin({"dead-letters", "show", "1-1"}).exit_code, 1);
}

TEST_F(CommandLineTest, StatusOfARefusedEventSaysWhyWhetherItIsWatchedOrNot) {
    start_engine();
    const std::string unnamed = publish(R"({"audience":["commune:21999"],"notification":{"title":"Test"}})");
    publish(R"({"id":"named","audience":["commune:21998"],"notification":{"title":"Test"}})");
    wait_for_length("dead-letters", 2);
    for (const std::string& event : {unnamed, std::string("named")}) {
        for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
                 {"status", event}, {"status", event, "--watch"}, {"report", event}}) {
            const auto done = tocsin(arguments);
            EXPECT_EQ(done.exit_code, 1) << event;
            EXPECT_NE(done.err.find("unknown_commune"), std::string::npos) << done.err;
        }
    }
    EXPECT_NE(tocsin({"status", "no-such-event"}).err.find("is known"), std::string::npos);
}

TEST_F(CommandLineTest, WatchingNoEventGoesOnUntilItIsInterrupted) {
    start_simulator();
    const fs::path log = directory / "watch.log";
    auto watching = cli::child_process::start(
        testing::tocsin_executable(),
        {"status", "--watch", "--config", providers->configuration_file().string()}, log);
    ASSERT_TRUE(watching.has_value());
    const auto looks = [&] {
        const std::string text = read_file(log);
        const std::regex once("No event is running");
        return std::distance(std::sregex_iterator(text.begin(), text.end(), once), std::sregex_iterator());
    };
    EXPECT_TRUE(testing::eventually([&] { return looks() >= 2; })) << read_file(log);
    const int status = watching->stop(std::chrono::seconds(10));
    ASSERT_TRUE(WIFEXITED(status)) << status;
    EXPECT_EQ(WEXITSTATUS(status), 130);
}

TEST_F(CommandLineTest, DeadLettersShowNoTokenWholeUnlessAskedAndPutBackTheWholeOne) {
    start_engine();
    const std::string wrong = R"({"op":"register","app":"mairies","platform":"fcm","token":")" +
                              fcm_token(1) + R"(","follow":["comune:21231"]})";
    ask_redis({"XADD", "tocsin:registrations", "*", "registration", wrong});
    wait_for_length("dead-letters", 1);
    stop_engine();
    const json::array letters = json::parse(tocsin({"dead-letters", "list", "--json"}).out).as_array();
    ASSERT_EQ(letters.size(), 1U);
    const std::string id(letters[0].at("id").as_string());
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"dead-letters", "list"},
             {"dead-letters", "show", id},
             {"dead-letters", "show", id, "--json"}}) {
        const auto shown = tocsin(arguments);
        EXPECT_EQ(shown.exit_code, 0) << shown.err;
        EXPECT_NE(shown.out.find("register"), std::string::npos) << shown.out;
        EXPECT_EQ(shown.out.find(fcm_token(1)), std::string::npos) << shown.out;
    }
    const auto whole = tocsin({"dead-letters", "show", id, "--show-tokens", "--json"});
    EXPECT_EQ(json::parse(whole.out).at("payload").as_string(), wrong);
    EXPECT_EQ(tocsin({"dead-letters", "retry", id}).exit_code, 0);
    EXPECT_EQ(entries("registrations").back(), wrong);
}

TEST_F(CommandLineTest, ADeadLetterIsNamedByItsOwnIdOrByItsEntrys) {
    start_engine();
    const std::string first = publish(R"({"audience":["commune:21999"],"notification":{"title":"Test"}})");
    wait_for_length("dead-letters", 1);  // So that no letter has the other's entry's id.
    const std::string second = publish(R"({"audience":["commune:21998"],"notification":{"title":"Test"}})");
    wait_for_length("dead-letters", 2);
    const auto shown = tocsin({"dead-letters", "show", second, first, first, "--json"});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_NE(shown.out.find("commune:21999"), std::string::npos) << shown.out;
    EXPECT_NE(shown.out.find("commune:21998"), std::string::npos) << shown.out;
    const auto missing = tocsin({"dead-letters", "drop", first, "1-1"});
    EXPECT_EQ(missing.exit_code, 1);
    EXPECT_NE(missing.err.find("1-1"), std::string::npos) << missing.err;
    EXPECT_EQ(entries("dead-letters").size(), 2U);
    EXPECT_EQ(tocsin({"dead-letters", "drop", first}).exit_code, 0);
    ASSERT_EQ(entries("dead-letters").size(), 1U);
    EXPECT_NE(entries("dead-letters").front().find("21998"), std::string::npos);
    for (const std::string junk : {"junk", "1763870000000", "$"}) {
        const auto refused = tocsin({"dead-letters", "show", junk});
        EXPECT_EQ(refused.exit_code, 2) << junk;
        EXPECT_NE(refused.err.find("is no id"), std::string::npos) << refused.err;
    }
}

TEST_F(CommandLineTest, AnIdThatNamesTwoLettersShowsBothAndDropsNeither) {
    start_simulator();
    const auto post = [&](const std::string& id, const std::string& entry) {
        ask_redis(
            {"XADD", "tocsin:dead-letters", id, "letter",
             R"({"stream":"tocsin:events","reason":"bad_json","payload":"","entry":")" + entry + R"("})"});
    };
    post("1795658037993-0", "1795658037990-0");
    post("1795658037995-0", "1795658037993-0");
    const std::string both = "1795658037993-0";
    const auto shown = tocsin({"dead-letters", "show", both, "--json"});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_NE(shown.out.find("1795658037990-0"), std::string::npos) << shown.out;
    EXPECT_NE(shown.out.find("1795658037995-0"), std::string::npos) << shown.out;
    for (const std::string command : {"drop", "retry"}) {
        const auto refused = tocsin({"dead-letters", command, both});
        EXPECT_EQ(refused.exit_code, 1) << command;
        EXPECT_NE(refused.err.find("1795658037995-0"), std::string::npos) << refused.err;
    }
    EXPECT_EQ(entries("dead-letters").size(), 2U);
    // By their other ids, and both by their own.
    EXPECT_EQ(tocsin({"dead-letters", "drop", "1795658037990-0"}).exit_code, 0);
    EXPECT_EQ(entries("dead-letters").size(), 1U);
    post("1795658037999-0", "1795658037995-0");
    EXPECT_EQ(tocsin({"dead-letters", "drop", "1795658037995-0", "1795658037999-0"}).exit_code, 0);
    EXPECT_TRUE(entries("dead-letters").empty());
}

TEST_F(CommandLineTest, DevicesAreImportedCountedShownAndForgotten) {
    start_simulator();
    import(
        registration_line("mairies", "apns", apns_token(1), {"commune:21231", "zone:21231:centre"}) +
        registration_line("mairies", "fcm", fcm_token(1), {"commune:21231"}));
    const auto count = tocsin({"devices", "count", "--json"});
    EXPECT_EQ(json::parse(count.out).at("total").to_number<int>(), 2);
    std::string upper = apns_token(1);
    std::ranges::transform(upper, upper.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
    const auto shown = tocsin({"devices", "show", upper});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_NE(shown.out.find("zone:21231:centre"), std::string::npos) << shown.out;
    EXPECT_EQ(shown.out.find(apns_token(1)), std::string::npos);
    EXPECT_NE(
        tocsin({"devices", "show", apns_token(1), "--show-tokens"}).out.find(apns_token(1)),
        std::string::npos);
    EXPECT_EQ(tocsin({"devices", "forget", apns_token(1)}).exit_code, 0);
    EXPECT_EQ(tocsin({"devices", "show", apns_token(1)}).exit_code, 1);
    const auto bad = tocsin(
        {"devices", "import", "-"},
        "{\"op\":\"register\"}\n" + registration_line("mairies", "fcm", fcm_token(2), {"commune:21231"}));
    EXPECT_EQ(bad.exit_code, 1);
    EXPECT_NE(bad.err.find("-:1:"), std::string::npos) << bad.err;
    EXPECT_EQ(json::parse(tocsin({"devices", "count", "--json"}).out).at("total").to_number<int>(), 2);
    const auto backup = tocsin({"devices", "export", "--show-tokens"});
    EXPECT_NE(backup.out.find(fcm_token(2)), std::string::npos);
}

TEST_F(CommandLineTest, UnreachableRedisExits69AndUsageErrorsExit2) {
    start_simulator();
    redis.kill();
    EXPECT_EQ(tocsin({"devices", "count"}).exit_code, 69);
    EXPECT_EQ(run_tocsin({"publsh"}).exit_code, 2);
    EXPECT_EQ(run_tocsin({"send", "--app", "mairies"}).exit_code, 2);
    const auto help = run_tocsin({"publish", "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_LT(help.out.find("Examples:"), help.out.find("--to")) << help.out;
    redis.restart();
}

class MutualTlsTest : public testing::engine_fixture {
protected:
    static testing::redis_server_options asking() {
        testing::redis_server_options how;
        how.tls = true;
        how.extra = {"--tls-auth-clients", "yes"};
        return how;
    }
    MutualTlsTest() : engine_fixture(asking()) {}
};

TEST_F(MutualTlsTest, RedisThatAsksForACertificateIsTalkedToAndARefusalIsNoAbsence) {
    start_simulator();
    const std::vector<std::string> trust{"--redis.ca_file", redis.ca_file()};
    const auto check = [&](std::vector<std::string> more) {
        std::vector<std::string> words{"check-config", "--online"};
        words.insert(words.end(), trust.begin(), trust.end());
        words.insert(words.end(), more.begin(), more.end());
        return tocsin(words);
    };
    const auto shown = check(
        {"--redis.certificate_file", redis.ca_file(), "--redis.certificate_key_file", redis.key_file()});
    EXPECT_EQ(shown.exit_code, 0) << shown.out << shown.err;
    const auto without = check({});
    EXPECT_EQ(without.exit_code, 78) << without.out;
    EXPECT_NE(without.out.find("redis.certificate_file"), std::string::npos) << without.out;
    redis.kill();
    const auto absent = check({});
    EXPECT_EQ(absent.exit_code, 69) << absent.out;
}

TEST_F(CommandLineTest, MetricsAndHealthTellHowItGoes) {
    start_engine();
    import(registration_line("mairies", "fcm", fcm_token(1), {"commune:21231"}));
    wait_for_result(publish(R"({"audience":["commune:21231"],"notification":{"title":"Test"}})"));
    const auto ready = cli::admin_get(options.admin_listen, "/readyz");
    ASSERT_TRUE(ready.has_value());
    EXPECT_TRUE(ready->at("ready").as_bool());
    EXPECT_TRUE(cli::admin_get(options.admin_listen, "/livez").has_value());
    EXPECT_TRUE(cli::admin_get(options.admin_listen, "/api/v1/lanes")->at("lanes").is_array());
}

TEST_F(CommandLineTest, ReadinessEndsSoonAfterRedisIsLostAndComesBackWithIt) {
    start_engine();
    const auto ready = [&] { return cli::admin_get(options.admin_listen, "/readyz").has_value(); };
    ASSERT_TRUE(ready());
    redis.kill();
    const auto lost = std::chrono::steady_clock::now();
    EXPECT_TRUE(testing::eventually([&] { return !ready(); }));
    // Two seconds, and room for a busy machine; a command waits fifteen.
    EXPECT_LT(std::chrono::steady_clock::now() - lost, std::chrono::seconds(8));
    EXPECT_TRUE(cli::admin_get(options.admin_listen, "/livez").has_value());
    redis.restart();
    EXPECT_TRUE(testing::eventually(ready));
}

}  // namespace
}  // namespace tocsin
