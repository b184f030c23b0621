#include "tests/e2e/engine_fixture.hpp"
#include "tools/tocsin/admin_client.hpp"

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// SIGHUP, with few apps and with very many.

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::fcm_token;
using testing::registration_line;

// Sanitizers keep what is freed, and shadow the rest.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

class ReloadTest : public testing::engine_fixture {
protected:
    /// The block of the app "mairies" a thousand times more, under other names and for one commune.
    void add_a_thousand_apps() {
        const auto file = providers->configuration_file();
        std::ifstream in(file);
        const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        const std::size_t begin = text.find("[[app]]");
        const std::size_t end = std::min(text.find("[[app]]", begin + 1), text.size());
        const std::string block = text.substr(begin, end - begin);
        const auto replaced = [](std::string from, const std::string& what, const std::string& with) {
            const std::size_t at = from.find(what);
            EXPECT_NE(at, std::string::npos) << what;
            return at == std::string::npos ? from : from.replace(at, what.size(), with);
        };
        std::ofstream out(file, std::ios::app);
        for (int n = 0; n < 1'000; ++n) {
            out << replaced(
                replaced(block, "\"mairies\"", "\"app-" + std::to_string(n) + "\""), "[\"*\"]",
                "[\"21231\"]");
        }
    }

    std::size_t engine_memory_kib() const {
        std::ifstream in("/proc/" + std::to_string(engine->id()) + "/status");
        for (std::string line; std::getline(in, line);) {
            if (line.starts_with("VmRSS:")) {
                return std::stoul(line.substr(6));
            }
        }
        return 0;
    }

    std::string engine_log() const {
        std::ifstream in(directory / "engine.log");
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }

    /// Asks for a reload and waits until the log says that it is done.
    void reload() {
        const auto done = [this] {
            std::size_t count = 0;
            const std::string log = engine_log();
            for (std::size_t at = 0; (at = log.find("\"reload.done\"", at)) != std::string::npos; ++at) {
                ++count;
            }
            return count;
        };
        const std::size_t before = done();
        ::kill(engine->id(), SIGHUP);
        ASSERT_TRUE(testing::eventually([&] { return done() != before; }));
    }

    std::uint64_t connections() const {
        return providers->stats().at("connections").to_number<std::uint64_t>();
    }
};

TEST_F(ReloadTest, AThousandSilentAppsCostNoConnectionAndLittleMemory) {
    start_simulator();
    add_a_thousand_apps();
    start_engine();
    reload();
    EXPECT_EQ(connections(), 0U);
    if (!sanitized) {
        EXPECT_LT(engine_memory_kib(), 100U * 1024);
    }
    import(registration_line("app-500", "fcm", fcm_token(1), {"commune:21231"}));
    const auto result = wait_for_result(
        publish(R"({"audience":["commune:21231"],"apps":["app-500"],"notification":{"title":"Test"}})"));
    EXPECT_EQ(testing::number(result, "accepted"), 1);
    EXPECT_LE(connections(), 2U) << "one for the access token, one for the push";
    EXPECT_EQ(stop_engine(), 0);
}

TEST_F(ReloadTest, ReloadsInMidEventLoseNobodyAndRepeatNothing) {
    for (auto& provider : options.initial.providers) {
        provider.delay = {sim::latency::shape::fixed, 150, 150};
    }
    start_engine();
    constexpr std::size_t devices = 6'000;
    std::string lines;
    for (std::size_t n = 0; n < devices; ++n) {
        lines += registration_line("mairies", "fcm", fcm_token(n), {"commune:21231"});
    }
    import(lines);
    const std::string event = publish(R"({"audience":["commune:21231"],"notification":{"title":"Test"}})");
    for (const std::uint64_t reached : {500U, 2'000U, 4'000U}) {
        ASSERT_TRUE(testing::eventually([&] { return requests("fcm") >= reached; }));
        reload();
    }
    const auto result = wait_for_result(event);
    testing::expect_sums_agree(result);
    EXPECT_EQ(testing::number(result, "accepted"), static_cast<std::int64_t>(devices));
    EXPECT_EQ(testing::number(result, "possible_duplicates"), 0);
    EXPECT_EQ(requests("fcm"), devices);
    EXPECT_EQ(stop_engine(), 0);
}

TEST_F(ReloadTest, AConfigurationThatCannotBeTakenIsRefusedInWordsAndTheOldOneStays) {
    start_engine();
    import(registration_line("mairies", "fcm", fcm_token(1), {"commune:21231"}));
    const auto file = providers->configuration_file();
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    std::string misspelt = text;
    misspelt.replace(misspelt.find("key_file"), 8, "key_fiel");
    for (const auto& [now, words] : std::vector<std::pair<std::string, std::string>>{
             {"", "no [[app]]"},
             {text.substr(0, text.find("[[app]]")), "no [[app]]"},
             {misspelt, "did you mean key_file"}}) {
        const std::size_t before = engine_log().size();
        std::ofstream(file) << now;
        ::kill(engine->id(), SIGHUP);
        ASSERT_TRUE(testing::eventually(
            [&] { return engine_log().find("\"reload.refused\"", before) != std::string::npos; }));
        EXPECT_NE(engine_log().find(words, before), std::string::npos) << engine_log().substr(before);
        EXPECT_EQ(engine_log().find("see standard error", before), std::string::npos);
    }
    const auto result =
        wait_for_result(publish(R"({"audience":["commune:21231"],"notification":{"title":"Test"}})"));
    EXPECT_EQ(testing::number(result, "accepted"), 1);
    std::ofstream(file) << text;
    reload();
    EXPECT_EQ(stop_engine(), 0);
}

TEST_F(ReloadTest, QuestionsDuringAStopHarmNothing) {
    for (auto& provider : options.initial.providers) {
        provider.delay = {sim::latency::shape::fixed, 300, 300};
    }
    start_simulator();
    import(registration_line("mairies", "fcm", fcm_token(1), {"commune:21231"}));
    for (int round = 0; round < 3; ++round) {
        start_engine();
        publish(R"({"audience":["commune:21231"],"notification":{"title":"Test"}})");
        ASSERT_TRUE(testing::eventually([&] { return requests("fcm") > static_cast<std::uint64_t>(round); }));
        std::vector<std::jthread> asking;
        for (const char* const path : {"/api/v1/lanes", "/readyz", "/api/v1/status"}) {
            asking.emplace_back([&, path](const std::stop_token& enough) {
                while (!enough.stop_requested()) {
                    static_cast<void>(cli::admin_get(options.admin_listen, path));
                }
            });
        }
        const auto begun = std::chrono::steady_clock::now();
        EXPECT_EQ(stop_engine(), 0);
        EXPECT_LT(std::chrono::steady_clock::now() - begun, 8s) << "questions must not hold up the stop";
    }
}

}  // namespace
}  // namespace tocsin
