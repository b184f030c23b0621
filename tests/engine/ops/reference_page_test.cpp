#include "tests/support/reference_page.hpp"

#include "engine/ops/config.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/ops/metrics_table.hpp"
#include "providers/platforms.hpp"
#include "tests/engine/ops/temporary_folder.hpp"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

void expect_reference(const std::string& name, const std::string& generated) {
    testing::expect_page(std::filesystem::path(TOCSIN_REFERENCE_FOLDER) / name, generated);
}

TEST(ReferencePageTest, ConfigurationPageIsWhatTheTableOfKeysMakes) {
    expect_reference(
        "configuration.md", configuration_reference(all_platform_configurations(), configuration_example()));
}

TEST(ReferencePageTest, MetricsPageIsWhatTheTableOfMetricsMakes) {
    expect_reference("metrics.md", metrics::reference_page());
}

TEST(ReferencePageTest, ConfigurationPageShowsDefaultsAsTheFileHasThem) {
    const std::string page = configuration_reference(all_platform_configurations(), configuration_example());
    EXPECT_THAT(
        page, ::testing::HasSubstr(
                  "| `shutdown_timeout` | duration | `\"25s\"` | `TOCSIN_ENGINE_SHUTDOWN_TIMEOUT` |"));
    EXPECT_THAT(page, ::testing::HasSubstr("| `default_ttl` | duration | `\"4h\"` |"));
    EXPECT_THAT(page, ::testing::HasSubstr("| `pages_in_flight` | number | `16` |"));
}

TEST(ReferencePageTest, ExampleLacksNothingButItsKeyFiles) {
    const std::string page = configuration_reference(all_platform_configurations(), configuration_example());
    const std::string fence = "```toml\n";
    const std::size_t start = page.find(fence) + fence.size();
    const testing::temporary_folder folder;
    config_sources sources;
    sources.file = folder.write("tocsin.toml", page.substr(start, page.find("```", start) - start));
    const config_outcome outcome = load_config(sources, all_platform_configurations());
    ASSERT_EQ(outcome.problems.size(), 3U);
    for (const config_problem& problem : outcome.problems) {
        EXPECT_THAT(problem.message, ::testing::HasSubstr("No such file or directory")) << problem.describe();
    }
}

TEST(ReferencePageTest, EveryMetricIsDescribed) {
    const std::string page = metrics::reference_page();
    for (const metric_description& row : metric_table()) {
        EXPECT_THAT(page, ::testing::HasSubstr("| `" + std::string(row.name) + "` |"));
    }
}

}  // namespace
}  // namespace tocsin
