#include "engine/core/text.hpp"
#include "engine/core/visible_text.hpp"
#include "tests/e2e/engine_fixture.hpp"
#include "tools/tocsin/command.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

// What the commands write: foreign text, and to whom nobody listens.

namespace tocsin {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::apns_token;
using testing::fcm_token;
using testing::registration_line;

// C0 with an escape sequence, C1, a change of direction, a line that looks like ours, and bytes that are no
// UTF-8.
const std::string hostile = "ok\x1b]0;owned\x07\x1b[2J\r\u009b31m\u202etxt\ntocsin: all is well\x7f";

/// Every command that does something, "devices import" as well as "status".
std::vector<std::string> names_of_commands() {
    std::vector<std::string> out;
    const auto add = [&out](const auto& self, const cli::command& one, const std::string& path) -> void {
        if (one.run) {
            out.push_back(path);
        }
        for (const cli::command& action : one.actions) {
            self(self, action, path + " " + action.name);
        }
    };
    for (const cli::command& one : cli::all_commands()) {
        add(add, one, one.name);
    }
    return out;
}

/// The names of the commands of these lines, "devices" and "devices import" alike.
std::set<std::string> names_in(const std::vector<std::vector<std::string>>& lines) {
    std::set<std::string> out;
    for (const std::vector<std::string>& words : lines) {
        out.insert(words.front());
        if (words.size() > 1) {
            out.insert(words[0] + " " + words[1]);
        }
    }
    return out;
}

class OutputTest : public testing::engine_fixture {
protected:
    /// Everything that stands in Redis is written by a stranger.
    void fill_with_hostile_text() {
        const std::string letter = json::serialize(json::object{
            {"stream", "tocsin:events" + hostile},
            {"entry", "1-1" + hostile},
            {"reason", hostile},
            {"payload", hostile}});
        ask_redis({"XADD", "tocsin:dead-letters", "1763870000000-0", "letter", letter});
        const std::string key = ask_redis({"KEYS", "*crue*"});
        ASSERT_FALSE(key.empty());
        const std::string ledger = key.substr(0, key.find('\n'));
        ask_redis(
            {"HSET", ledger, "r:apns:" + hostile, "5", "c:" + hostile, "7", "b:m" + hostile + "/apns:rate",
             "9"});
        ask_redis({"HSET", ledger, "state", hostile});
        ask_redis({"HDEL", ledger, "result"});
        std::ofstream(in_folder("hostile.xml"))
            << "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><sender>"
            << "\u202e\u009b</sender><sent>\u202e</sent></alert>";
        std::ofstream(in_folder("hostile.toml")) << R"("x\u001b[2J\u202e" = 1)"
                                                    "\n[[app]]\n"
                                                    R"(id = "a\u001b[2J")"
                                                    "\n"
                                                    R"(communes = ["\u202e"])"
                                                    "\n";
    }

    std::string in_folder(const std::string& name) const { return (directory / name).string(); }

    std::vector<std::vector<std::string>> hostile_lines() const {
        return {
            {"dead-letters", "list"},
            {"dead-letters", "show", "1763870000000-0"},
            {"dead-letters", "show", "1763870000000-0", "--show-tokens"},
            {"dead-letters", "show", hostile},
            {"dead-letters", "retry", "1-1"},
            {"status"},
            {"status", "crue"},
            {"status", hostile},
            {"report", "crue"},
            {"report", hostile},
            {"cancel", "crue"},
            {"cancel", hostile},
            {"devices", "show", hostile},
            {"devices", "forget", hostile},
            {"devices", "import", hostile},
            {"publish", "--to", hostile, "--title", "x"},
            {"publish", "--to", "commune:21231", "--title", "x", "--data", hostile},
            {"publish", "--file", hostile},
            {"pause", "--app", hostile},
            {"rate", "--app", hostile, "--platform", "apns", "--set", "1"},
            {"send", "--app", hostile, "--platform", "apns", "--token", apns_token(1), "--title", "x"},
            {"send", "--app", "mairies", "--platform", hostile, "--token", apns_token(1), "--title", "x"},
            {"check-config", "--config", hostile},
            {"bench", hostile},
            {"help", hostile},
            {hostile},
            {"status", "--" + hostile},
            {"report", "crue", "--csv"},
            {"report", "crue", "--csv", "excel"},
            {"report", "crue", "--certificate", "-"},
            {"report", "--verify", in_folder(hostile)},
            {"explain", "--event", "crue", "--device", hostile},
            {"explain", "--event", hostile, "--device", apns_token(1)},
            {"explain", "--event", "crue", "--device", apns_token(1)},
            {"devices", "count"},
            {"devices", "export", "--app", hostile},
            {"devices", "merge", hostile, "01033"},
            {"devices", "merge", "01018", hostile},
            {"devices", "prune", "--app", hostile},
            {"devices", "restore", "--app", hostile},
            {"dead-letters", "drop", hostile},
            {"dead-letters", "retry", hostile},
            {"publish", "--to", "commune:21231", "--title", hostile, "--app", hostile, "--plan"},
            {"cap", "--dry-run", in_folder("hostile.xml")},
            {"cap", in_folder(hostile)},
            {"vapid", "new", in_folder("none/" + hostile)},
            {"vapid", "show", in_folder(hostile)},
            {"canary", "--to", hostile},
            {"resume", "--app", hostile},
            {"bench", "compare", in_folder(hostile), in_folder("hostile.xml")},
            {"demo", "--share", hostile},
            {"sim", "--behaviour", R"({"\u001b[2J\u202e": 1})"},
            {"serve", "--engine.threads", hostile},
            {"top", "--admin.listen", hostile},
        };
    }

    static void expect_harmless(std::string text, const std::vector<std::string>& words) {
        std::string all;
        for (const std::string& word : words) {
            all += word + " ";
        }
        EXPECT_TRUE(is_utf8(text)) << all;
        for (std::size_t at = text.find("\r\n"); at != std::string::npos; at = text.find("\r\n")) {
            text.erase(at, 1);  // Of CSV.
        }
        for (std::string_view rest = text; !rest.empty();) {
            const auto next = front_of(rest);
            if (!next || (is_unprintable(next->value) && next->value != U'\n')) {
                FAIL() << all << made_visible(text);
            }
            rest.remove_prefix(next->size);
        }
        EXPECT_EQ(("\n" + text).find("\ntocsin: all is well"), std::string::npos) << all << text;
    }
};

TEST_F(OutputTest, ForeignTextIsGivenToEveryCommand) {
    const std::set<std::string> given = names_in(hostile_lines());
    for (const std::string& name : names_of_commands()) {
        EXPECT_TRUE(given.contains(name)) << name;
    }
}

TEST_F(OutputTest, ForeignTextIsMadeVisibleByEveryCommandThatShowsSome) {
    start_simulator();
    import(registration_line("mairies", "apns", apns_token(1), {"commune:21231"}));
    start_engine();
    publish(R"({"id":"crue","audience":["commune:21231"],"notification":{"title":"Crue"}})");
    wait_for_result("crue");
    stop_engine();
    fill_with_hostile_text();
    for (const char* const command : {"serve", "check-config"}) {
        const auto done = testing::run_tocsin({command, "--config", in_folder("hostile.toml")});
        expect_harmless(done.err, {command});
        EXPECT_EQ(done.exit_code, 78) << done.err;
    }
    for (std::vector<std::string> words : hostile_lines()) {
        for (const bool as_json : {false, true}) {
            if (as_json) {
                words.emplace_back("--json");
            }
            const auto done = tocsin(words);
            expect_harmless(done.out, words);
            expect_harmless(done.err, words);
            EXPECT_FALSE(done.out.empty() && done.err.empty()) << words.front();
        }
    }
}

TEST_F(OutputTest, NoErrorAboutAUrlRepeatsAPartOfThePassword) {
    start_simulator();
    for (const std::string url :
         {"redis://user:zqxj/7391@127.0.0.1:1/0", "redis://:zqxj@7391@127.0.0.1:1",
          "redis://user:zqxj#7391@127.0.0.1:1", "redis://:zqxj7391@127.0.0.1:1/x", "user:zqxj7391@127.0.0.1",
          "redis+sentinel://u:7391/zqxj@127.0.0.1:1", "mysql://u:zqxj7391@127.0.0.1/0"}) {
        for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
                 {"status", "--redis.url", url},
                 {"status", "--redis.url=" + url},
                 {"check-config", "--online", "--redis.url", url},
                 {"status", "--redis.urll", url},
                 {"status", "--redis.urll=" + url},
                 {"status", "crue", "--app", url},
                 {url}}) {
            const auto done = tocsin(words);
            EXPECT_NE(done.exit_code, 0) << url;
            for (const char* const half : {"zqxj", "7391"}) {
                EXPECT_EQ((done.out + done.err).find(half), std::string::npos) << url << "\n"
                                                                               << done.out << done.err;
            }
        }
    }
}

/// Runs the program with standard output on `file`; what it wrote on standard error, and its exit code.
testing::finished_process run_into(const char* file, std::vector<std::string> words) {
    const std::string errors = ::testing::TempDir() + "output_test_" + std::to_string(::getpid());
    std::string line = "exec \"$0\" \"$@\" >" + std::string(file) + " 2>" + errors;
    words.insert(words.begin(), {"-c", line, testing::tocsin_executable()});
    words.insert(words.begin(), "sh");
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        ::execvp("sh", arguments.data());
        ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    testing::finished_process out;
    out.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    std::ifstream in(errors);
    out.err = {std::istreambuf_iterator<char>(in), {}};
    fs::remove(errors);
    return out;
}

class FullDiskTest : public OutputTest {
protected:
    /// What every command has something to say about: an event that has ended, one that has not, a device, a
    /// letter, a key.
    void have_something_to_say() {
        start_simulator();
        import(registration_line("mairies", "apns", apns_token(1), {"commune:21231"}));
        start_engine();
        publish(R"({"id":"crue","audience":["commune:21231"],"notification":{"title":"Crue"}})");
        wait_for_result("crue");
        stop_engine();
        publish(R"({"id":"later","audience":["commune:21231"],"notification":{"title":"Crue"}})");
        for (const char* const id : {"1763870000000-0", "1763870000001-0", "1763870000002-0"}) {
            const std::string letter = json::serialize(json::object{
                {"stream", "tocsin:events"}, {"entry", "1-1"}, {"reason", "unknown"}, {"payload", "{}"}});
            ask_redis({"XADD", "tocsin:dead-letters", id, "letter", letter});
        }
        ASSERT_EQ(testing::run_tocsin({"vapid", "new", in_folder("kept.pem")}).exit_code, 0);
        std::ofstream(in_folder("devices.jsonl"))
            << registration_line("mairies", "apns", apns_token(2), {"commune:21231"});
        std::ofstream(in_folder("alert.xml"))
            << "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>1</identifier>"
               "<sender>a@b.fr</sender><sent>2026-11-23T06:00:00+01:00</sent><status>Actual</status>"
               "<msgType>Alert</msgType><scope>Public</scope><info><language>fr-FR</language>"
               "<category>Met</category><event>Crue</event><urgency>Immediate</urgency>"
               "<severity>Severe</severity><certainty>Observed</certainty>"
               "<expires>2099-11-23T18:00:00+01:00</expires><headline>Crue</headline>"
               "<area><areaDesc>Dijon</areaDesc><geocode><valueName>INSEE</valueName><value>21231</value>"
               "</geocode></area></info></alert>";
    }
    std::vector<std::vector<std::string>> lines() const {
        return {
            {"devices", "export"},
            {"devices", "count"},
            {"devices", "count", "--json"},
            {"devices", "show", apns_token(1)},
            {"devices", "import", in_folder("devices.jsonl"), "--json"},
            {"devices", "merge", "01018", "01033"},
            {"devices", "prune", "--json"},
            {"devices", "restore", "--app", "mairies", "--json"},
            {"devices", "forget", apns_token(2), "--json"},
            {"status"},
            {"status", "--json"},
            {"status", "crue"},
            {"report", "crue"},
            {"report", "crue", "--csv"},
            {"report", "crue", "--certificate", "-"},
            {"explain", "--event", "crue", "--device", apns_token(1)},
            {"publish", "--to", "commune:21231", "--title", "x", "--json"},
            {"publish", "--to", "commune:21231", "--title", "x"},
            {"publish", "--to", "commune:21231", "--title", "x", "--plan"},
            {"cap", "--dry-run", in_folder("alert.xml")},
            {"cancel", "later"},
            {"dead-letters", "list"},
            {"dead-letters", "list", "--json"},
            {"dead-letters", "show", "1763870000000-0"},
            {"dead-letters", "retry", "1763870000001-0"},
            {"dead-letters", "drop", "1763870000002-0"},
            {"vapid", "new", in_folder("new.pem")},
            {"vapid", "show", in_folder("kept.pem")},
            {"check-config"},
            {"pause"},
            {"resume"},
            {"rate", "--app", "mairies", "--platform", "apns", "--set", "0"},
            {"sim", "--json", "--directory", in_folder("full"), "--apns-port", "0", "--sandbox-port", "0",
             "--fcm-port", "0", "--oauth-port", "0", "--control-port", "0", "--webpush-port", "0"},
            {"send", "--app", "mairies", "--platform", "apns", "--token", apns_token(1), "--title", "x"},
            {"--version"},
            {"--help"},
            {"help", "settings"},
            {"publish", "--help"}};
    }
};

TEST_F(FullDiskTest, ListsEveryCommandThatPrints) {
    // What these print comes after minutes, or on a terminal alone; serve prints nothing.
    const std::set<std::string> elsewhere{"serve", "canary", "top", "bench", "bench compare", "demo"};
    const std::set<std::string> listed = names_in(lines());
    for (const std::string& name : names_of_commands()) {
        EXPECT_NE(listed.contains(name), elsewhere.contains(name)) << name;
    }
}

TEST_F(FullDiskTest, IsAFailureOfEveryCommandThatPrints) {
    have_something_to_say();
    const std::string config = providers->configuration_file().string();
    for (std::vector<std::string> words : lines()) {
        std::string name;
        for (const std::string& word : words) {
            name += word + " ";
        }
        words.insert(words.end(), {"--config", config});
        const auto full = run_into("/dev/full", words);
        EXPECT_EQ(full.exit_code, 1) << name << "\n" << full.err;
        EXPECT_NE(
            full.err.find("cannot write to standard output: No space left on device"), std::string::npos)
            << name << "\n"
            << full.err;
        const auto closed = run_into("&-", words);
        EXPECT_EQ(closed.exit_code, 1) << name << "\n" << closed.err;
    }
}

TEST_F(OutputTest, AReaderThatLeftIsNotComplainedAbout) {
    start_simulator();
    import(registration_line("mairies", "apns", apns_token(1), {"commune:21231"}));
    const fs::path fifo = directory / "fifo";
    for (const bool ignored : {false, true}) {
        std::array<int, 2> ends{};
        ASSERT_EQ(::pipe(ends.data()), 0);
        ::close(ends[0]);
        constexpr int high = 8;  // The shell knows one digit.
        ASSERT_EQ(::dup2(ends[1], high), high);
        ::close(ends[1]);
        const std::string descriptor = "&8";
        const auto before = std::signal(SIGPIPE, ignored ? SIG_IGN : SIG_DFL);
        const auto done = run_into(
            descriptor.c_str(), {"devices", "count", "--config", providers->configuration_file().string()});
        std::signal(SIGPIPE, before);
        ::close(high);
        EXPECT_EQ(done.err, "") << ignored;
        EXPECT_EQ(done.exit_code, ignored ? 0 : 128 + SIGPIPE);
    }
}

TEST_F(OutputTest, AnEngineWithoutAnAppDoesNotStartAndCheckConfigSaysSo) {
    const fs::path file = directory / "empty.toml";
    std::ofstream(file) << "[redis]\nurl = \"" << options.redis_url << "\"\n";
    for (const char* const command : {"serve", "check-config"}) {
        const auto done = testing::run_tocsin({command, "--config", file.string()});
        EXPECT_EQ(done.exit_code, 78) << command << done.out;
        EXPECT_NE(done.err.find("no [[app]]"), std::string::npos) << done.err;
    }
}

}  // namespace
}  // namespace tocsin
