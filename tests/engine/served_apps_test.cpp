#include "engine/served_apps.hpp"

#include "tests/engine/simulation/imagined_provider.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

class any_settings final : public platform_settings {};

app_settings app(std::string id, std::vector<std::string> communes, const std::vector<platform>& on) {
    app_settings out;
    out.id = std::move(id);
    out.communes = std::move(communes);
    for (const platform each : on) {
        auto made = std::make_shared<any_settings>();
        made->rate = 100 * (static_cast<std::uint64_t>(each) + 1);
        out.platforms[each] = std::move(made);
    }
    return out;
}

settings configured() {
    settings out;
    out.apps = {
        app("mairies", {"*"}, {platform::apns, platform::fcm}),
        app("dijon", {"21231", "2A004"}, {platform::fcm}), app("nobody", {}, {platform::fcm})};
    return out;
}

TEST(ServedApps, ServeWhatTheConfigurationSaysOfThem) {
    const auto apps = served_apps(configured());
    ASSERT_EQ(apps.size(), 3U);
    EXPECT_EQ(apps[0].id, "mairies");
    EXPECT_TRUE(apps[0].everywhere);
    EXPECT_FALSE(apps[1].everywhere);
    EXPECT_EQ(
        apps[1].communes, (std::set<commune_id>{*parse_commune_id("21231"), *parse_commune_id("2A004")}));
    EXPECT_FALSE(apps[2].everywhere);
    EXPECT_TRUE(apps[2].communes.empty());
}

TEST(ServedApps, AreOnThePlatformsThatTheyAreConfiguredForOrHaveAProviderFor) {
    const settings how = configured();
    const auto planned = served_apps(how);
    EXPECT_EQ(planned[0].platforms.size(), 2U);
    EXPECT_EQ(planned[0].platforms.at(platform::apns), nullptr) << "nothing can be rendered";
    EXPECT_EQ(planned[0].settings.at(platform::apns), how.apps[0].platforms.at(platform::apns));

    std::vector<testing::imagined_channel*> channels;
    const std::vector<std::shared_ptr<provider>> providers{
        std::make_shared<testing::imagined_provider>(platform::fcm, channels)};
    const auto served = served_apps(how, providers);
    ASSERT_EQ(served.size(), 3U);
    ASSERT_EQ(served[0].platforms.size(), 1U);
    EXPECT_EQ(served[0].platforms.at(platform::fcm), providers.front());
    EXPECT_EQ(served[0].settings.size(), 2U);
    EXPECT_TRUE(served[1].platforms.empty()) << "a provider is for its own app alone";
}

TEST(ConfiguredRates, AreThoseOfEachAppOnEachOfItsPlatforms) {
    const std::map<target, std::uint64_t> wanted{
        {{"mairies", platform::apns}, 100 * (static_cast<std::uint64_t>(platform::apns) + 1)},
        {{"mairies", platform::fcm}, 100 * (static_cast<std::uint64_t>(platform::fcm) + 1)},
        {{"dijon", platform::fcm}, 100 * (static_cast<std::uint64_t>(platform::fcm) + 1)},
        {{"nobody", platform::fcm}, 100 * (static_cast<std::uint64_t>(platform::fcm) + 1)}};
    EXPECT_EQ(configured_rates(configured()), wanted);
    EXPECT_TRUE(configured_rates({}).empty());
}

TEST(StoreSizing, CountsTheInhabitantsThatAnAppServes) {
    const territories places = territories::parse(
                                   "insee,name,population,department,epci\n"
                                   "21231,Dijon,160000,21,\n"
                                   "21054,Beaune,20000,21,\n"
                                   "2A004,Ajaccio,70000,2A,\n",
                                   "epci,name,type,communes,population\n")
                                   .value();
    const settings how = configured();
    const store_sizing sizing = sizing_for(how, places);
    EXPECT_EQ(sizing.population(*parse_commune_id("21054")), 20'000U);
    struct row {
        const char* app;
        std::uint64_t wanted;
        const char* because;
    };
    const std::vector<row> rows{
        {"mairies", 250'000, "every commune"},
        {"dijon", 230'000, "Dijon and Ajaccio"},
        {"nobody", 0, "it lists none"},
        {"former", 250'000, "it was taken out of the configuration"},
    };
    for (const row& each : rows) {
        EXPECT_EQ(sizing.population_served(each.app), each.wanted) << each.because;
    }
}

}  // namespace
}  // namespace tocsin
