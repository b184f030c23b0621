#include "engine/ops/config_table.hpp"

#include "providers/platforms.hpp"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(ConfigTable, HasTheEnginesKeysAndThoseOfEachPlatform) {
    const config_table table(all_platform_configurations());
    ASSERT_NE(table.key("redis", "url"), nullptr);
    for (const platform_configuration* const one : all_platform_configurations()) {
        const std::string path = "app." + std::string(to_string(one->kind()));
        ASSERT_NE(table.section(path), nullptr) << path;
        EXPECT_EQ(table.section(path)->header, "[" + path + "]");
        EXPECT_FALSE(table.section(path)->in_environment) << path;
        EXPECT_EQ(table.platform_at(path), one);
        EXPECT_NE(table.key(path, "rate"), nullptr) << "configured_rates() goes by it";
    }
    EXPECT_EQ(table.section("app.hms"), nullptr);
    EXPECT_EQ(table.platform_at("app"), nullptr);
    EXPECT_EQ(table.key("app", "rate"), nullptr);
}

TEST(ConfigTable, KnowsOfNoPlatformThatItWasNotGiven) {
    const config_table table({});
    EXPECT_EQ(table.section("app.fcm"), nullptr);
    EXPECT_THAT(table.names_in("app"), ::testing::ElementsAre("id", "communes"));
}

TEST(ConfigTable, TablesInsideAnAppAreAmongItsNames) {
    const config_table table(all_platform_configurations());
    EXPECT_THAT(table.names_in("app"), ::testing::ElementsAre("id", "communes", "apns", "fcm", "webpush"));
}

TEST(ConfigTable, EachKeyStandsOnceInItsSectionAndReadsWhatItWrites) {
    const config_table table(all_platform_configurations());
    std::set<std::pair<std::string_view, std::string_view>> seen;
    for (const config_key& row : table.keys()) {
        EXPECT_TRUE(seen.emplace(row.section, row.name).second) << full_name(row);
        const platform_configuration* const of = table.platform_at(row.section);
        if (of == nullptr || row.kind != config_kind::count) {
            continue;
        }
        const auto fresh = of->fresh();
        row.assign(fresh.get(), std::uint64_t{7});
        EXPECT_EQ(std::get<std::uint64_t>(row.read(fresh.get())), 7U) << full_name(row);
    }
}

}  // namespace
}  // namespace tocsin
