#include "engine/ops/config.hpp"

#include "engine/ops/config_table.hpp"
#include "tests/engine/ops/config_fixture.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include <gmock/gmock.h>

#include <unistd.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigTest : public testing::config_fixture {};

TEST_F(ConfigTest, NoFileAnywhereMeansDefaults) {
    const config_outcome outcome = load_file("");
    EXPECT_THAT(shown(outcome), IsEmpty());
    EXPECT_TRUE(outcome.value.file.empty());
    EXPECT_EQ(outcome.value.redis.url, "redis://127.0.0.1:6379/0");
    EXPECT_TRUE(outcome.value.apps.empty());
}

TEST_F(ConfigTest, InstanceAndThreadsAreFilledIn) {
    const config_outcome outcome = load("");
    std::array<char, 256> host{};
    ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
    EXPECT_EQ(outcome.value.engine.instance, host.data());
    EXPECT_GE(outcome.value.engine.threads, 1U);
}

TEST_F(ConfigTest, AProblemThatShowsOnUseIsToldWithFileLineAndKey) {
    const config_outcome outcome = load("[redis]\nurl = \"mysql://host\"\n");
    ASSERT_THAT(shown(outcome), IsEmpty());
    const config_problem in_file = problem_of(outcome.value, "redis.url", "is odd");
    EXPECT_THAT(in_file.describe(), ::testing::EndsWith("tocsin.toml:2: redis.url: is odd"));
    EXPECT_THAT(
        problem_of(outcome.value, "territories.file", "is odd").describe(),
        ::testing::EndsWith("tocsin.toml: territories.file: is odd"));
    environment["TOCSIN_REDIS_URL"] = "mysql://host";
    EXPECT_EQ(
        problem_of(load("").value, "redis.url", "is odd").describe(),
        "environment variable TOCSIN_REDIS_URL: redis.url: is odd");
    EXPECT_EQ(problem_of(settings{}, "app.1.communes", "is odd").describe(), "app.communes: is odd");
}

TEST_F(ConfigTest, EveryKeyReachesItsSetting) {
    folder.write("places.csv", "insee");
    const config_outcome outcome = load(R"(
[redis]
url = "unix:///run/redis.sock?db=2"
prefix = "village"
[engine]
instance = "engine-1"
threads = 3
shutdown_timeout = "500ms"
pages_in_flight = 8
lease = "1m"
max_attempts = 7
default_ttl = "2h"
results_max_length = 1
feedback_max_length = 2
dead_letters_max_length = 3
event_retention = "2d"
[admin]
listen = ""
[log]
level = "debug"
format = "json"
[territories]
file = "places.csv"
)");
    EXPECT_THAT(shown(outcome), IsEmpty());
    const settings& value = outcome.value;
    EXPECT_EQ(value.redis.url, "unix:///run/redis.sock?db=2");
    EXPECT_EQ(value.redis.prefix, "village");
    EXPECT_EQ(value.engine.instance, "engine-1");
    EXPECT_EQ(value.engine.threads, 3U);
    EXPECT_EQ(value.engine.shutdown_timeout, 500ms);
    EXPECT_EQ(value.engine.pages_in_flight, 8U);
    EXPECT_EQ(value.engine.lease, 60s);
    EXPECT_EQ(value.engine.max_attempts, 7U);
    EXPECT_EQ(value.engine.default_ttl, 2h);
    EXPECT_EQ(value.engine.results_max_length, 1U);
    EXPECT_EQ(value.engine.feedback_max_length, 2U);
    EXPECT_EQ(value.engine.dead_letters_max_length, 3U);
    EXPECT_EQ(value.engine.event_retention, 48h);
    EXPECT_EQ(value.admin.listen, "");
    EXPECT_EQ(value.log.level, "debug");
    EXPECT_EQ(value.log.format, "json");
    EXPECT_EQ(value.territories.file, (folder.path() / "places.csv").string());
}

TEST_F(ConfigTest, EveryPathMayBeACredentialOfTheServiceManagersWhereverItIsGiven) {
    const config_table table(all_platform_configurations());
    const std::string path = "$CREDENTIALS_DIRECTORY/secret";
    std::size_t paths = 0;
    const auto read = [](config_outcome& outcome, const config_table& of, const config_key& key) {
        config_target target = part_of(outcome.value, key.section);
        if (const platform_configuration* const on = of.platform_at(key.section)) {
            target = outcome.value.apps.at(0).platforms.at(on->kind()).get();
        }
        return std::get<std::string>(key.read(target));
    };
    for (const config_key& key : table.keys()) {
        if (key.kind != config_kind::path) {
            continue;
        }
        ++paths;
        SCOPED_TRACE(full_name(key));
        const config_section& section = *table.section(key.section);
        const std::string in_file = (section.in_environment ? "" : "[[app]]\nid = \"mairies\"\n") +
                                    std::string(section.header) + "\n" + std::string(key.name) + " = \"" +
                                    path + "\"\n";
        for (const char* const given : {"file", "environment", "flag"}) {
            SCOPED_TRACE(given);
            if (!section.in_environment && std::string_view(given) != "file") {
                continue;
            }
            environment.clear();
            flags.clear();
            if (std::string_view(given) == "environment") {
                environment[environment_name(key)] = path;
            } else if (std::string_view(given) == "flag") {
                flags.emplace_back(full_name(key), path);
            }
            const std::string text = std::string_view(given) == "file" ? in_file : "";
            EXPECT_THAT(
                shown(load(text)),
                Contains(::testing::AllOf(
                    HasSubstr(std::string(key.name) + ": "), HasSubstr("CREDENTIALS_DIRECTORY is not set"))));
            // Whoever opens no app's key need not be able to.
            keys = app_keys::unused;
            config_outcome without = load(text);
            const bool of_an_app = table.platform_at(key.section) != nullptr;
            const auto told = Contains(HasSubstr("CREDENTIALS_DIRECTORY"));
            if (of_an_app) {
                EXPECT_THAT(shown(without), ::testing::Not(told));
                EXPECT_EQ(read(without, table, key), path);
            } else {
                EXPECT_THAT(shown(without), told);
            }
            keys = app_keys::used;
            environment["CREDENTIALS_DIRECTORY"] = "/run/credentials/tocsin.service";
            config_outcome outcome = load(text);
            EXPECT_THAT(shown(outcome), ::testing::Not(Contains(HasSubstr("CREDENTIALS_DIRECTORY"))));
            EXPECT_EQ(read(outcome, table, key), "/run/credentials/tocsin.service/secret");
        }
    }
    EXPECT_GE(paths, 9U);
}

TEST_F(ConfigTest, QuietHoursAreReadFromFileAndEnvironment) {
    const settings file = load(R"(
[quiet_hours]
from = "21:30"
to = "07:00"
categories = ["agenda", "vie-locale"]
priorities = ["normal", "low"]
spread = "5m"
)")
                              .value;
    EXPECT_EQ(file.quiet_hours.from, "21:30");
    EXPECT_EQ(file.quiet_hours.to, "07:00");
    EXPECT_EQ(file.quiet_hours.categories, (std::vector<std::string>{"agenda", "vie-locale"}));
    EXPECT_EQ(file.quiet_hours.priorities, (std::vector<std::string>{"normal", "low"}));
    EXPECT_EQ(file.quiet_hours.spread, 5min);
    environment = {
        {"TOCSIN_QUIET_HOURS_FROM", "22:00"},
        {"TOCSIN_QUIET_HOURS_TO", "06:30"},
        {"TOCSIN_QUIET_HOURS_PRIORITIES", "low"}};
    const config_outcome outcome = load("");
    EXPECT_THAT(shown(outcome), IsEmpty());
    EXPECT_EQ(outcome.value.quiet_hours.from, "22:00");
    EXPECT_EQ(outcome.value.quiet_hours.priorities, std::vector<std::string>{"low"});
    environment = {{"TOCSIN_QUIET_HOURS_FORM", "22:00"}};
    EXPECT_EQ(
        problems(""),
        "environment: TOCSIN_QUIET_HOURS_FORM: unknown variable; did you mean TOCSIN_QUIET_HOURS_FROM?\n");
}

TEST_F(ConfigTest, QuietHoursThatMakeNoSenseAreRefusedWithWords) {
    const auto said = [this](const std::string& text) { return problems("[quiet_hours]\n" + text); };
    const std::string time = "must be a time from \"00:00\" to \"23:59\", such as \"07:00\", not ";
    EXPECT_EQ(
        said("from = \"9:30pm\"\nto = \"24:00\"\n"),
        "tocsin.toml:2: quiet_hours.from: " + time + "\"9:30pm\"\ntocsin.toml:3: quiet_hours.to: " + time +
            "\"24:00\"\n");
    EXPECT_EQ(
        said("from = \"21:30\"\n"),
        "tocsin.toml:1: quiet_hours.to: is missing: quiet hours need from and to, such as \"21:30\" and "
        "\"07:00\"\n");
    EXPECT_EQ(
        said("from = \"07:00\"\nto = \"07:00\"\n"),
        "tocsin.toml:3: quiet_hours.to: is the same time as from: that would be the whole day, or none of "
        "it\n");
    const std::string hours = "from = \"21:30\"\nto = \"07:00\"\n";
    EXPECT_EQ(
        said(hours + "priorities = [\"critical\"]\n"),
        "tocsin.toml:4: quiet_hours.priorities: critical events wait for nobody: the list may hold high, "
        "normal and low\n");
    EXPECT_EQ(
        said(hours + "priorities = [\"norml\"]\n"),
        "tocsin.toml:4: quiet_hours.priorities: \"norml\" is no priority; did you mean normal?\n");
    EXPECT_EQ(
        said(hours + "categories = [\"\"]\n"),
        "tocsin.toml:4: quiet_hours.categories: holds an empty text, which no event can have\n");
    EXPECT_EQ(said("until = \"07:00\"\n").find("tocsin.toml:2: quiet_hours.until: unknown key"), 0U);
}

TEST_F(ConfigTest, FlagWinsOverEnvironmentOverFileOverDefault) {
    constexpr std::string_view file = "[redis]\nprefix = \"file\"\n";
    EXPECT_EQ(load("").value.redis.prefix, "tocsin");
    EXPECT_EQ(load(file).value.redis.prefix, "file");
    environment["TOCSIN_REDIS_PREFIX"] = "environment";
    EXPECT_EQ(load(file).value.redis.prefix, "environment");
    flags = {{"redis.prefix", "flag"}};
    EXPECT_EQ(load(file).value.redis.prefix, "flag");
}

TEST_F(ConfigTest, EnvironmentValuesAreReadByTheTypeOfTheirKey) {
    environment = {
        {"TOCSIN_ENGINE_THREADS", "2"}, {"TOCSIN_ENGINE_LEASE", "90s"}, {"TOCSIN_ADMIN_LISTEN", ""}};
    const config_outcome outcome = load("");
    EXPECT_THAT(shown(outcome), IsEmpty());
    EXPECT_EQ(outcome.value.engine.threads, 2U);
    EXPECT_EQ(outcome.value.engine.lease, 90s);
    EXPECT_EQ(outcome.value.admin.listen, "");
}

TEST_F(ConfigTest, BadValueInTheEnvironmentNamesTheVariable) {
    environment = {{"TOCSIN_ENGINE_THREADS", "many"}};
    EXPECT_EQ(
        problems(""),
        "environment variable TOCSIN_ENGINE_THREADS: engine.threads: must be a whole number, 0 or more, not "
        "\"many\"\n");
}

TEST_F(ConfigTest, VariableThatLooksLikeOursAndIsNoneIsAnError) {
    environment = {{"TOCSIN_REDIS_URI", "redis://elsewhere"}};
    EXPECT_EQ(
        problems(""), "environment: TOCSIN_REDIS_URI: unknown variable; did you mean TOCSIN_REDIS_URL?\n");
}

TEST_F(ConfigTest, VariablesOfOthersAndOfServiceLinksAreLeftAlone) {
    environment = {
        {"TOCSIN_VERSION", "1"},
        {"PATH", "/bin"},
        {"TOCSIN_REDIS_SERVICE_HOST", "10.0.0.1"},
        {"TOCSIN_REDIS_SERVICE_PORT_TCP", "6379"},
        {"TOCSIN_REDIS_PORT", "tcp://10.0.0.1:6379"},
        {"TOCSIN_REDIS_PORT_6379_TCP_ADDR", "10.0.0.1"}};
    EXPECT_EQ(problems(""), "");
}

TEST_F(ConfigTest, UnknownFlagIsAnErrorWithASuggestion) {
    flags = {{"redis.ulr", "x"}, {"app.id", "x"}};
    EXPECT_EQ(
        problems(""),
        "command line: redis.ulr: unknown key; did you mean redis.url?\n"
        "command line: app.id: apps are set in the file only\n");
}

TEST_F(ConfigTest, UnknownKeyNamesFileLineAndNearestKey) {
    EXPECT_EQ(
        problems("[redis]\nurl = \"redis://x\"\nprefx = \"a\"\n"),
        "tocsin.toml:3: redis.prefx: unknown key; did you mean prefix?\n");
}

TEST_F(ConfigTest, UnknownKeyThatResemblesNothingListsWhatTheSectionTakes) {
    EXPECT_EQ(
        problems("[redis]\nconnection_pool = 5\n"),
        "tocsin.toml:2: redis.connection_pool: unknown key; [redis] takes url, prefix, ca_file, "
        "certificate_file, certificate_key_file\n");
}

TEST_F(ConfigTest, KeyInTheWrongSectionIsToldWhereItBelongs) {
    EXPECT_EQ(
        problems("[engine]\nlisten = \":1\"\n"),
        "tocsin.toml:2: engine.listen: unknown key; listen belongs in [admin]\n");
}

TEST_F(ConfigTest, UnknownSectionHasASuggestion) {
    EXPECT_EQ(
        problems("[enigne]\nthreads = 1\n"),
        "tocsin.toml:1: enigne: unknown section; did you mean engine?\n");
}

TEST_F(ConfigTest, SectionThatIsAValueIsAnError) {
    EXPECT_EQ(
        problems("redis = \"redis://x\"\n"),
        "tocsin.toml:1: redis: must be a table, which begins with [redis]; this is a text\n");
}

TEST_F(ConfigTest, WrongTypesSayWhatWouldBeRight) {
    EXPECT_EQ(
        problems(R"([redis]
url = 6379
[engine]
threads = "four"
lease = 1.5
max_attempts = -1
default_ttl = true
)"),
        "tocsin.toml:2: redis.url: must be a text in quotes; this is a whole number\n"
        "tocsin.toml:4: engine.threads: must be a whole number, 0 or more; this is a text\n"
        "tocsin.toml:5: engine.lease: must be a duration such as \"25s\", \"500ms\", \"30m\", \"4h\" or "
        "\"1d\"; this "
        "is a number with a fraction\n"
        "tocsin.toml:6: engine.max_attempts: must be a whole number, 0 or more, not -1\n"
        "tocsin.toml:7: engine.default_ttl: must be a duration such as \"25s\", \"500ms\", \"30m\", \"4h\" "
        "or \"1d\"; "
        "this is true or false\n");
}

TEST_F(ConfigTest, WholeNumberIsADurationInSeconds) {
    const config_outcome outcome = load("[engine]\nlease = 45\n");
    EXPECT_THAT(shown(outcome), IsEmpty());
    EXPECT_EQ(outcome.value.engine.lease, 45s);
}

class ConfigDurationTest : public testing::config_fixture,
                           public ::testing::WithParamInterface<const char*> {};

TEST_P(ConfigDurationTest, IsRefused) {
    EXPECT_THAT(
        problems(std::string("[engine]\nlease = \"") + GetParam() + "\"\n"),
        HasSubstr("tocsin.toml:2: engine.lease: must be a duration such as \"25s\""));
}

INSTANTIATE_TEST_SUITE_P(
    Malformed, ConfigDurationTest,
    ::testing::Values("", "s", "25 s", "25S", "-5s", "1.5h", "1h30m", "25sec", "99999999999999999d", "+5s"));

TEST_F(ConfigTest, NumbersOutOfRangeSayTheRange) {
    EXPECT_EQ(
        problems("[engine]\npages_in_flight = 0\nlease = \"10ms\"\nresults_max_length = 0\n"),
        "tocsin.toml:2: engine.pages_in_flight: must be from 1 to 4096\n"
        "tocsin.toml:3: engine.lease: must be from 1s to 1h\n"
        "tocsin.toml:4: engine.results_max_length: must be at least 1\n");
}

TEST_F(ConfigTest, ChoicesAreListed) {
    EXPECT_EQ(
        problems("[log]\nlevel = \"verbose\"\n"),
        "tocsin.toml:2: log.level: must be \"debug\", \"info\", \"warning\" or \"error\", not \"verbose\"\n");
}

TEST_F(ConfigTest, MalformedTomlNamesLineAndColumn) {
    const std::string all = problems("[redis]\nurl = \"unfinished\nprefix = \"x\"\n");
    EXPECT_THAT(all, ::testing::StartsWith("tocsin.toml:2: malformed TOML at column "));
    EXPECT_EQ(std::ranges::count(all, '\n'), 1);
}

TEST_F(ConfigTest, FileThatWasNamedHasToExist) {
    EXPECT_THAT(
        shown(load_file((folder.path() / "absent.toml").string())),
        ElementsAre("absent.toml: the file cannot be read: No such file or directory"));
    EXPECT_THAT(shown(load_file(folder.path().string())), ElementsAre(HasSubstr("it is a folder")));
    environment["TOCSIN_CONFIG"] = (folder.path() / "gone.toml").string();
    EXPECT_THAT(shown(load_file("")), ElementsAre(HasSubstr("gone.toml: the file cannot be read")));
}

TEST_F(ConfigTest, FirstDefaultFileThatExistsIsRead) {
    const std::string second = folder.write("second.toml", "[redis]\nprefix = \"second\"\n");
    const std::string third = folder.write("third.toml", "[redis]\nprefix = \"third\"\n");
    default_files = {folder.path() / "first.toml", second, third};
    const config_outcome outcome = load_file("");
    EXPECT_EQ(outcome.value.redis.prefix, "second");
    EXPECT_EQ(outcome.value.file, second);
}

TEST_F(ConfigTest, ProblemsComeInTheOrderOfTheFile) {
    environment = {{"TOCSIN_LOG_LEVEL", "loud"}};
    const auto lines =
        shown(load("[log]\nformat = \"xml\"\n[admin]\nlisten = \"nowhere\"\n[redis]\nurl = 1\n"));
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_THAT(lines[0], HasSubstr(":2: log.format"));
    EXPECT_THAT(lines[1], HasSubstr(":4: admin.listen"));
    EXPECT_THAT(lines[2], HasSubstr(":6: redis.url"));
    EXPECT_THAT(lines[3], HasSubstr("TOCSIN_LOG_LEVEL"));
}

TEST_F(ConfigTest, PathsInTheEnvironmentAreRelativeToTheCurrentFolder) {
    environment = {{"TOCSIN_TERRITORIES_FILE", "somewhere/places.csv"}};
    EXPECT_EQ(
        load("").value.territories.file, (std::filesystem::current_path() / "somewhere/places.csv").string());
}

TEST_F(ConfigTest, EmptyRequiredTextsAreRefused) {
    EXPECT_THAT(
        shown(load("[redis]\nurl = \"\"\nprefix = \"with space\"\n[engine]\ninstance = \"a b\"\n")),
        ElementsAre(
            HasSubstr(":2: redis.url: must say where Redis is"),
            HasSubstr(":3: redis.prefix: must be one or more"),
            HasSubstr(":5: engine.instance: must be at most 128")));
}

TEST_F(ConfigTest, TrustRootHasToHoldCertificates) {
    folder.write("ca.pem", "not a certificate", 0644);
    EXPECT_EQ(
        problems("[redis]\nca_file = \"ca.pem\"\n"),
        "tocsin.toml:2: redis.ca_file: ca.pem holds no PEM certificate\n");
    EXPECT_EQ(
        problems("[redis]\nca_file = \"no.pem\"\n"),
        "tocsin.toml:2: redis.ca_file: no.pem cannot be read: No such file or directory\n");
}

TEST_F(ConfigTest, FlagsCoverEveryKeyOutsideApps) {
    const auto all = config_flags();
    std::vector<std::string> names;
    for (const config_flag& each : all) {
        names.push_back(each.key + " " + each.environment);
        EXPECT_FALSE(each.help.empty()) << each.key;
    }
    EXPECT_THAT(names, Contains("redis.url TOCSIN_REDIS_URL"));
    EXPECT_THAT(names, Contains("engine.pages_in_flight TOCSIN_ENGINE_PAGES_IN_FLIGHT"));
    EXPECT_THAT(names, ::testing::Each(::testing::Not(HasSubstr("app"))));
}

TEST(ConfigSourcesTest, ProcessEnvironmentIsReadByNameAndListed) {
    ASSERT_EQ(::setenv("TOCSIN_TEST_OF_SOURCES", "a=b", 1), 0);
    const config_sources sources = process_config_sources();
    EXPECT_EQ(sources.environment("TOCSIN_TEST_OF_SOURCES"), "a=b");
    EXPECT_EQ(sources.environment("TOCSIN_TEST_OF_ABSENCE"), std::nullopt);
    EXPECT_THAT(sources.environment_names, Contains("TOCSIN_TEST_OF_SOURCES"));
    ::unsetenv("TOCSIN_TEST_OF_SOURCES");
}

}  // namespace
}  // namespace tocsin
