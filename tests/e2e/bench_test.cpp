#include "tests/e2e/engine_fixture.hpp"
#include "tests/e2e/tocsin_process.hpp"
#include "tools/tocsin/bench_figures.hpp"
#include "tools/tocsin/child_process.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include <sys/wait.h>

namespace tocsin {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;
using testing::run_tocsin;

class BenchCommandTest : public ::testing::Test {
protected:
    BenchCommandTest() {
        std::string pattern = (fs::temp_directory_path() / "tocsin-bench-test-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error("no temporary directory");
        }
        directory = pattern;
    }
    ~BenchCommandTest() override { fs::remove_all(directory); }

    /// Processes whose command line names our directory.
    [[nodiscard]] std::size_t processes() const {
        std::size_t out = 0;
        for (const auto& one : fs::directory_iterator("/proc")) {
            std::ifstream file(one.path() / "cmdline");
            const std::string line{std::istreambuf_iterator<char>(file), {}};
            out += line.find(directory.string()) != std::string::npos ? 1 : 0;
        }
        return out;
    }

    fs::path directory;
};

TEST_F(BenchCommandTest, ReportsEveryFigureAndAccountsForEveryDevice) {
    const fs::path page = directory / "report.html";
    const auto done =
        run_tocsin({"bench", "village", "--share", "0.01", "--threads", "1", "--json", "--html", page});
    ASSERT_EQ(done.exit_code, 0) << done.err;
    const json::object report = json::parse(done.out).as_object();
    for (const cli::bench_figure& figure : cli::bench_figures()) {
        EXPECT_TRUE(report.contains(figure.name)) << figure.name;
    }
    EXPECT_TRUE(report.at("sums_agree").as_bool());
    EXPECT_EQ(report.at("events").to_number<int>(), 10);
    EXPECT_EQ(report.at("devices").to_number<int>(), report.at("pushes").to_number<int>());
    EXPECT_GT(report.at("cpu_per_million").to_number<double>(), 0);
    EXPECT_GT(report.at("bytes_per_push").to_number<double>(), 100);
    EXPECT_GT(report.at("connections").to_number<int>(), 0);
    EXPECT_GE(report.at("accepted_p50_ms").to_number<double>(), 20);  // The simulator's latency.
    EXPECT_GT(report.at("timeline").as_array().size(), 1U);
    EXPECT_EQ(report.at("settings").at("threads").to_number<int>(), 1);
    EXPECT_GT(fs::file_size(page), 1'000U);

    const fs::path saved = directory / "report.json";
    std::ofstream(saved) << done.out;
    const auto compared = run_tocsin({"bench", "compare", saved, saved, "--json"});
    ASSERT_EQ(compared.exit_code, 0) << compared.err;
    const json::array figures = json::parse(compared.out).as_array();
    EXPECT_GT(figures.size(), 20U);
    EXPECT_TRUE(std::ranges::all_of(
        figures, [](const json::value& one) { return one.at("verdict").as_string() == "same"; }));
}

TEST_F(BenchCommandTest, AnAlertOvertakesANewsletterAndIsReportedByItself) {
    const auto done = run_tocsin({"bench", "alert-overtakes", "--share", "0.01", "--json"});
    ASSERT_EQ(done.exit_code, 0) << done.err;
    const json::object report = json::parse(done.out).as_object();
    EXPECT_EQ(report.at("alert_devices").to_number<int>(), 1'000);
    EXPECT_GT(report.at("alert_p100_ms").to_number<double>(), 0);
}

TEST_F(BenchCommandTest, AColdAlertReachesEverybodyWhoIsThereAndSaysWhoIsGone) {
    const auto done = run_tocsin(
        {"bench", "cold-alert", "--devices", "400", "--dead-share", "0.1", "--threads", "1", "--json"});
    ASSERT_EQ(done.exit_code, 0) << done.err;
    const json::object report = json::parse(done.out).as_object();
    EXPECT_EQ(report.at("devices").to_number<int>(), 400);
    EXPECT_EQ(report.at("pushes").to_number<int>(), 400);
    EXPECT_TRUE(report.at("sums_agree").as_bool());
    EXPECT_LE(report.at("connections").to_number<int>(), 4) << "nothing is opened that so few cannot use";
    const json::object& settings = report.at("settings").as_object();
    EXPECT_EQ(settings.at("latency").as_string(), "lognormal:40:200");
    EXPECT_EQ(settings.at("answers").as_string(), "write");
}

TEST_F(BenchCommandTest, LockStepIsTheWayOfBefore) {
    const auto done = run_tocsin({"bench", "village", "--share", "0.002", "--lock-step", "--json"});
    ASSERT_EQ(done.exit_code, 0) << done.err;
    const json::object settings = json::parse(done.out).at("settings").as_object();
    EXPECT_EQ(settings.at("latency").as_string(), "fixed:20");
    EXPECT_EQ(settings.at("answers").as_string(), "batched");
}

TEST_F(BenchCommandTest, AMissedAssertionExits99AndIsNamed) {
    const auto done = run_tocsin(
        {"bench", "village", "--share", "0.002", "--assert", "pushes>=1", "--assert", "cpu_per_million<0"});
    EXPECT_EQ(done.exit_code, 99);
    EXPECT_NE(done.err.find("cpu_per_million<0 was missed"), std::string::npos) << done.err;
    EXPECT_EQ(done.err.find("pushes>=1"), std::string::npos) << done.err;
}

TEST_F(BenchCommandTest, WhatCannotBeAskedForExits2) {
    EXPECT_EQ(run_tocsin({"bench"}).exit_code, 2);
    EXPECT_EQ(run_tocsin({"bench", "hamlet"}).exit_code, 2);
    EXPECT_EQ(run_tocsin({"bench", "town", "--assert", "speed>1"}).exit_code, 2);
    EXPECT_EQ(run_tocsin({"bench", "town", "--latency", "soon"}).exit_code, 2);
}

TEST_F(BenchCommandTest, WithoutRedisServerItExits69) {
    const auto done = run_tocsin({"bench", "village"}, {}, {"PATH=/nowhere"});
    EXPECT_EQ(done.exit_code, 69);
    EXPECT_NE(done.err.find("redis-server"), std::string::npos) << done.err;
}

TEST_F(BenchCommandTest, AnInterruptionEndsEveryProcessAndExits130) {
    auto bench = cli::child_process::start(
        testing::tocsin_executable(), {"bench", "france", "--share", "0.05", "--keep", directory.string()},
        directory / "bench.log");
    ASSERT_TRUE(bench.has_value());
    const auto configured = [&] { return fs::exists(directory / "providers" / "tocsin.toml"); };
    ASSERT_TRUE(testing::eventually([&] { return configured() || !bench->running(); }));
    ASSERT_TRUE(configured());
    EXPECT_GE(processes(), 3U);
    const int status = bench->stop(30s);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 130);
    EXPECT_EQ(processes(), 0U);
}

}  // namespace
}  // namespace tocsin
