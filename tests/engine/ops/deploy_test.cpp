#include "engine/ops/metrics.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

// The Grafana dashboard and the Prometheus rules ask for metrics that there are.

namespace tocsin {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string read(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Every name of a series that the engine can show: those of the tables that the reference page is made of.
std::set<std::string> series() {
    std::set<std::string> out;
    const std::string page = metrics::reference_page();
    const std::regex row(R"re(\| `([a-z_]+)` \|)re");
    for (std::sregex_iterator at(page.begin(), page.end(), row), end; at != end; ++at) {
        const std::string name = (*at)[1];
        out.insert(name);
        if (name.ends_with("_seconds")) {
            out.insert({name + "_bucket", name + "_sum", name + "_count"});
        }
    }
    return out;
}

void expect_known_metrics(const std::string& text, const std::string& where) {
    static const std::set<std::string> known = series();
    const std::regex name(R"re(\b((?:tocsin|process)_[a-z_]+)\b(?!:))re");
    std::size_t seen = 0;
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at) {
        EXPECT_TRUE(known.contains((*at)[1])) << (*at)[1] << " in " << where;
        ++seen;
    }
    EXPECT_GT(seen, 0U) << where;
}

TEST(DeployTest, EveryMetricOfTheRulesIsOneOfTheTable) {
    const fs::path folder = fs::path(TOCSIN_DEPLOY_FOLDER) / "prometheus";
    for (const auto& file : fs::directory_iterator(folder)) {
        expect_known_metrics(read(file.path()), file.path().string());
    }
}

TEST(DeployTest, EveryMetricOfTheDashboardsIsOneOfTheTable) {
    std::size_t boards = 0;
    for (const auto& file : fs::directory_iterator(fs::path(TOCSIN_DEPLOY_FOLDER) / "grafana")) {
        const json::value board = json::parse(read(file.path()));
        std::set<std::int64_t> ids;
        for (const json::value& panel : board.at("panels").as_array()) {
            EXPECT_TRUE(ids.insert(panel.at("id").as_int64()).second) << "one id, two panels";
            if (const auto* const targets = panel.as_object().if_contains("targets")) {
                for (const json::value& target : targets->as_array()) {
                    expect_known_metrics(
                        std::string(target.at("expr").as_string()),
                        std::string(panel.at("title").as_string()));
                }
            }
        }
        ++boards;
    }
    EXPECT_EQ(boards, 1U);
}

}  // namespace
}  // namespace tocsin
