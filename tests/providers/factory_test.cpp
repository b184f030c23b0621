#include "providers/factory.hpp"

#include "engine/ops/metrics.hpp"
#include "providers/apns/settings.hpp"
#include "providers/fcm/settings.hpp"
#include "providers/webpush/settings.hpp"
#include "tests/providers/auth/test_keys.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/recorded_source.hpp"
#include "tests/support/sample_event.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

namespace tocsin {
namespace {

class FactoryTest : public ::testing::Test {
protected:
    FactoryTest() {
        std::string pattern = ::testing::TempDir() + "factory_XXXXXX";
        folder = ::mkdtemp(pattern.data());
        app.id = "dijon";
        app.add<apns_settings>();
        app.find<apns_settings>()->topic = "fr.example.dijon";
        app.find<apns_settings>()->team_id = "ABCDE12345";
        app.find<apns_settings>()->key_id = "KEY1234567";
        app.find<apns_settings>()->key_file = write("key.p8", testing::test_key::p256().pem());
        app.add<fcm_settings>();
        app.find<fcm_settings>()->service_account_file = write(
            "account.json", boost::json::serialize(boost::json::object{
                                {"type", "service_account"},
                                {"project_id", "mairies"},
                                {"private_key_id", "abc123"},
                                {"private_key", rsa_pem()},
                                {"client_email", "push@mairies.iam.gserviceaccount.com"},
                                {"token_uri", "https://oauth2.googleapis.com/token"}}));
    }
    ~FactoryTest() override { std::filesystem::remove_all(folder); }

    static const std::string& rsa_pem() {
        static const std::string pem = testing::test_key::rsa(2048).pem();  // Takes a third of a second.
        return pem;
    }

    std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) {
        const auto path = folder / name;
        std::ofstream(path) << text;
        ::chmod(path.c_str(), mode);
        return path;
    }

    [[nodiscard]] parsed<std::vector<std::shared_ptr<provider>>> make() {
        settings configuration;
        configuration.apps = {app};
        configuration.apps.insert(configuration.apps.end(), others.begin(), others.end());
        return make_providers(configuration, {loop.get_executor(), 2, time, log, 1});
    }

    /// The refusal's code and message in one line.
    [[nodiscard]] std::string refused() {
        const auto made = make();
        return made.has_error() ? made.error().code + ": " + made.error().message : "not refused";
    }

    std::filesystem::path folder;
    boost::asio::io_context loop{1};
    testing::manual_time time;
    null_logger log;
    app_settings app;
    std::vector<app_settings> others;
};

TEST_F(FactoryTest, MakesAProviderForEachPlatform) {
    const auto made = make();
    ASSERT_TRUE(made.has_value()) << refused();
    ASSERT_EQ(made->size(), 2U);
    EXPECT_EQ((*made)[0]->kind(), platform::apns);
    EXPECT_EQ((*made)[1]->kind(), platform::fcm);
    for (const auto& each : *made) {
        EXPECT_EQ(each->app(), "dijon");
        EXPECT_TRUE(each->credential().usable);
        EXPECT_TRUE(each->render(testing::flood_event()).has_value());
        EXPECT_FALSE(each->explain(400, "InventedNextYear").empty());
    }
    EXPECT_GE((*made)[1]->retry_floor(), std::chrono::seconds(10));
}

TEST_F(FactoryTest, ChannelsOpenNothingByThemselves) {
    const auto made = make();
    ASSERT_TRUE(made.has_value()) << refused();
    metrics all;
    testing::recorded_source source;
    for (const auto& each : *made) {
        const auto opened = each->open({loop.get_executor(), 1, time, log, all.add_shard(), source});
        opened->wake();
        EXPECT_EQ(opened->statistics().in_flight, 0U);
        EXPECT_EQ(opened->statistics().connections_connecting, 0U);
    }
}

TEST_F(FactoryTest, NamesTheAppAndTheKeyOfWhatIsWrong) {
    app.find<apns_settings>()->key_file = write("text.p8", "not a key");
    EXPECT_TRUE(refused().starts_with("app.apns.key_file: app \"dijon\", apns: ")) << refused();
}

TEST_F(FactoryTest, RefusesKeysThatOthersCanRead) {
    app.find<apns_settings>()->key_file = write("open.p8", testing::test_key::p256().pem(), 0644);
    EXPECT_NE(refused().find("chmod 600"), std::string::npos) << refused();
    app.platforms.erase(platform::apns);
    ::chmod(app.find<fcm_settings>()->service_account_file.c_str(), 0640);
    EXPECT_NE(refused().find("app.fcm.service_account_file"), std::string::npos) << refused();
}

TEST_F(FactoryTest, RefusesWhatIsMissing) {
    app.find<apns_settings>()->key_id.clear();
    EXPECT_TRUE(refused().starts_with("app.apns.key_id: ")) << refused();
    app.find<apns_settings>()->key_file = "/nowhere/key.p8";
    app.find<apns_settings>()->key_id = "KEY1234567";
    EXPECT_TRUE(refused().starts_with("app.apns.key_file: ")) << refused();
    app.find<apns_settings>()->topic.clear();
    EXPECT_TRUE(refused().starts_with("app.apns.topic: ")) << refused();
    app.platforms.erase(platform::apns);
    app.find<fcm_settings>()->service_account_file.clear();
    EXPECT_TRUE(refused().starts_with("app.fcm.service_account_file: ")) << refused();
}

TEST_F(FactoryTest, ProjectOfTheConfigurationStandsInForTheFiles) {
    app.platforms.erase(platform::apns);
    app.find<fcm_settings>()->service_account_file = write(
        "no-project.json", boost::json::serialize(boost::json::object{
                               {"type", "service_account"},
                               {"private_key_id", "abc123"},
                               {"private_key", rsa_pem()},
                               {"client_email", "push@mairies.iam.gserviceaccount.com"},
                               {"token_uri", "https://oauth2.googleapis.com/token"}}));
    EXPECT_NE(refused().find("has no \"project_id\""), std::string::npos) << refused();
    app.find<fcm_settings>()->project_id = "mairies";
    EXPECT_EQ(refused(), "not refused");
}

TEST_F(FactoryTest, RefusesAddressesInTheClearAndPaths) {
    app.find<apns_settings>()->url = "http://api.push.apple.com";
    EXPECT_TRUE(refused().starts_with("app.apns.url: ")) << refused();
    app.find<apns_settings>()->url = "https://api.push.apple.com/3/device";
    EXPECT_NE(refused().find("may have no path"), std::string::npos) << refused();
}

TEST_F(FactoryTest, RefusesATopicWithTheSuffixOfAPushType) {
    for (const std::string suffix :
         {".complication", ".push-type.controls", ".pushkit.fileprovider", ".push-type.liveactivity",
          ".location-query", ".voip-ptt", ".voip", ".push-type.widgets"}) {
        app.find<apns_settings>()->topic = "fr.example.dijon" + suffix;
        EXPECT_EQ(
            refused(), "app.apns.topic: app \"dijon\", apns: topic ends in " + suffix +
                           ": name the app's bundle id alone; what a push type adds is added by itself");
    }
    app.find<apns_settings>()->topic = "fr.example.voip.dijon";
    EXPECT_EQ(refused(), "not refused");
}

TEST_F(FactoryTest, RefusesAProjectThatWouldChangeThePath) {
    app.find<fcm_settings>()->project_id = "mairies/../other";
    EXPECT_TRUE(refused().starts_with("app.fcm.project_id: ")) << refused();
}

TEST_F(FactoryTest, TakesACertificateInsteadOfAKey) {
    const auto key = testing::test_key::p256();
    app.find<apns_settings>()->certificate_file = write("push.pem", key.certificate("push"), 0644);
    app.find<apns_settings>()->certificate_key_file = write("push.key", key.pem());
    app.find<apns_settings>()->key_file.clear();
    const auto made = make();
    ASSERT_TRUE(made.has_value()) << refused();
    EXPECT_TRUE((*made)[0]->credential().expires_at.has_value());

    app.find<apns_settings>()->certificate_key_file = write("other.key", testing::test_key::p256().pem());
    EXPECT_TRUE(refused().starts_with("app.apns.certificate_key_file: ")) << refused();
    app.find<apns_settings>()->certificate_file = write("bad.pem", "nothing");
    EXPECT_TRUE(refused().starts_with("app.apns.certificate_file: ")) << refused();
}

TEST_F(FactoryTest, ACertificateThatHasEndedIsNotUsable) {
    const auto key = testing::test_key::p256();
    app.find<apns_settings>()->certificate_file = write("push.pem", key.certificate("push"), 0644);
    app.find<apns_settings>()->certificate_key_file = write("push.key", key.pem());
    const auto made = make();
    ASSERT_TRUE(made.has_value()) << refused();
    const auto state = (*made)[0]->credential();
    EXPECT_EQ(state.usable, *state.expires_at > time.wall_now());
    time.advance(std::chrono::hours(24 * 365 * 100));
    EXPECT_FALSE((*made)[0]->credential().usable);
    EXPECT_NE((*made)[0]->credential().problem.find("ended"), std::string::npos);
}

TEST_F(FactoryTest, RefusesABrowsersAppWithoutWhatItNeeds) {
    app.platforms.clear();
    auto& webpush = app.add<webpush_settings>();
    EXPECT_TRUE(refused().starts_with("app.webpush.vapid_key_file: ")) << refused();
    webpush.vapid_key_file = write("vapid.pem", "not a key");
    EXPECT_TRUE(refused().starts_with("app.webpush.subject: ")) << refused();
    webpush.subject = "mailto:dsi@example.fr";
    EXPECT_TRUE(refused().starts_with("app.webpush.url: ")) << refused();
    webpush.url = "https://www.example.fr/";
    EXPECT_NE(refused().find("is not a P-256 private key"), std::string::npos) << refused();
    webpush.vapid_key_file = write("vapid.pem", testing::test_key::p256().pem());
    EXPECT_EQ(refused(), "not refused");
    webpush.ca_file = "/nowhere/ca.pem";
    EXPECT_TRUE(refused().starts_with("app.webpush.")) << refused();
}

TEST_F(FactoryTest, AppsOfOneProjectUseUpOneQuotaAndAppsOfTwoDoNot) {
    app.platforms.erase(platform::apns);
    others.push_back(app);
    others.back().id = "beaune";
    others.push_back(app);
    others.back().id = "elsewhere";
    auto own = std::make_shared<fcm_settings>(*app.find<fcm_settings>());
    own->project_id = "elsewhere";
    others.back().platforms[platform::fcm] = own;
    const auto made = make();
    ASSERT_TRUE(made.has_value()) << refused();
    ASSERT_EQ(made->size(), 3U);
    EXPECT_EQ((*made)[0]->quota(), (*made)[1]->quota());
    EXPECT_NE((*made)[0]->quota(), (*made)[2]->quota());
}

TEST_F(FactoryTest, ASecondAppOfAnAccountWithoutAProjectIsRefusedAsTheFirstWouldBe) {
    app.platforms.erase(platform::apns);
    auto& fcm = *app.find<fcm_settings>();
    fcm.service_account_file = write(
        "no-project.json", boost::json::serialize(boost::json::object{
                               {"type", "service_account"},
                               {"private_key_id", "abc123"},
                               {"private_key", rsa_pem()},
                               {"client_email", "push@mairies.iam.gserviceaccount.com"},
                               {"token_uri", "https://oauth2.googleapis.com/token"}}));
    others.push_back(app);
    others.back().id = "beaune";
    others.back().platforms[platform::fcm] = std::make_shared<fcm_settings>(fcm);
    fcm.project_id = "mairies";
    EXPECT_NE(refused().find("app \"beaune\""), std::string::npos) << refused();
    EXPECT_NE(refused().find("has no \"project_id\""), std::string::npos) << refused();
}

TEST_F(FactoryTest, OneAppThatIsWrongIsNamedAmongThoseThatAreFine) {
    others.push_back(app);
    others.back().id = "beaune";
    auto own = std::make_shared<apns_settings>(*app.find<apns_settings>());
    own->key_file = "/nowhere/key.p8";
    own->key_id = "KEY7654321";
    others.back().platforms[platform::apns] = own;
    EXPECT_TRUE(refused().starts_with("app.apns.key_file: app \"beaune\", apns: ")) << refused();
}

}  // namespace
}  // namespace tocsin
