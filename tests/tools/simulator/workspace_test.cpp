#include "tools/simulator/workspace.hpp"

#include "tests/tools/simulator/simulator_fixture.hpp"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::sim {
namespace {

namespace fs = std::filesystem;
using testing::read_text;
using testing::temporary_directory;
using testing::test_options;

fs::perms mode(const fs::path& path) {
    return fs::status(path).permissions();
}

constexpr auto only_owner = fs::perms::owner_read | fs::perms::owner_write;

TEST(Workspace, KeepsItsSecretsFromOthers) {
    const temporary_directory parent;
    const auto options = test_options(parent.path() / "new");
    const auto made = workspace::open(options);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    ASSERT_TRUE(made->write_configuration(options, {1, 2, 3, 4, 5}).has_value());

    EXPECT_EQ(mode(options.directory), fs::perms::owner_all);
    for (const auto* name :
         {"ca-key.pem", "AuthKey_KEY1234567.p8", "mairies-client-key.pem", "service-account-mairies-app.json",
          "oauth-secret", "push-secret", "vapid-mairies.pem"}) {
        EXPECT_EQ(mode(options.directory / name), only_owner) << name;
    }
}

TEST(Workspace, ARestartKeepsEveryKey) {
    const temporary_directory directory;
    const auto options = test_options(directory.path());
    std::string before[5];
    const char* const names[] = {
        "ca.pem", "AuthKey_KEY1234567.p8", "mairies-client.pem", "service-account-mairies-app.json",
        "oauth-secret"};
    for (int run = 0; run < 2; ++run) {
        const auto made = workspace::open(options);
        ASSERT_TRUE(made.has_value()) << made.error().message;
        ASSERT_TRUE(made->write_configuration(options, {1, 2, 3, 4, 5}).has_value());
        for (std::size_t i = 0; i < 5; ++i) {
            const std::string now = read_text(directory.path() / names[i]);
            EXPECT_FALSE(now.empty()) << names[i];
            if (run == 0) {
                before[i] = now;
            } else {
                EXPECT_EQ(now, before[i]) << names[i];
            }
        }
    }
}

TEST(Workspace, ReplacesWhatIsBroken) {
    const temporary_directory directory;
    const auto options = test_options(directory.path());
    ASSERT_TRUE(workspace::open(options).has_value());
    std::ofstream(directory.path() / "AuthKey_KEY1234567.p8") << "not a key";
    ASSERT_TRUE(workspace::open(options).has_value());
    EXPECT_NE(key_from_pem(read_text(directory.path() / "AuthKey_KEY1234567.p8")), nullptr);
}

TEST(Workspace, LeavesADirectoryOfOtherFilesAlone) {
    const temporary_directory directory;
    std::ofstream(directory.path() / "letter.txt") << "Dear mayor,";
    const auto made = workspace::open(test_options(directory.path()));
    ASSERT_FALSE(made.has_value());
    EXPECT_NE(made.error().message.find("files that are not the simulator's"), std::string::npos);
    EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

TEST(Workspace, RefusesAFileInThePlaceOfItsDirectory) {
    const temporary_directory directory;
    std::ofstream(directory.path() / "taken") << "";
    const auto made = workspace::open(test_options(directory.path() / "taken"));
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().code, "directory");
    EXPECT_NE(made.error().message.find("taken cannot be used: it is not a directory"), std::string::npos);
}

TEST(Workspace, RefusesAppsThatCannotBeToldApart) {
    const temporary_directory directory;
    auto options = test_options(directory.path());
    options.apps.push_back(options.apps.front());
    EXPECT_EQ(workspace::open(options).error().message, "two apps have the id \"mairies\"");
    options.apps.back().id = "../mairies";
    EXPECT_FALSE(workspace::open(options).has_value());
}

TEST(Workspace, TheConfigurationIsWhatServeReads) {
    simulator_options options;
    options.apps[1].mutual_tls = true;
    options.redis_url = "unix:///run/\"redis\".sock?db=0";
    EXPECT_EQ(
        configuration_text(options, {8443, 8444, 8445, 8446, 8447}),
        R"(# Tocsin against its provider simulator. Written anew at each start of `tocsin sim`:
# copy it before you change it. Paths are relative to this file.

[redis]
url = "unix:///run/\"redis\".sock?db=0"
prefix = "tocsin"

[admin]
listen = "127.0.0.1:9464"

[[app]]
id = "mairies"
communes = ["*"]
  [app.apns]
  url = "https://127.0.0.1:8443"
  sandbox_url = "https://127.0.0.1:8444"
  topic = "fr.example.mairies"
  team_id = "ABCDE12345"
  key_id = "KEY1234567"
  key_file = "AuthKey_KEY1234567.p8"
  ca_file = "ca.pem"
  rate = 0
  [app.fcm]
  url = "https://127.0.0.1:8445"
  service_account_file = "service-account-mairies-app.json"
  ca_file = "ca.pem"
  rate = 0

[[app]]
id = "dijon"
communes = ["21231"]
  [app.apns]
  url = "https://127.0.0.1:8443"
  sandbox_url = "https://127.0.0.1:8444"
  topic = "fr.example.dijon"
  certificate_file = "dijon-client.pem"
  certificate_key_file = "dijon-client-key.pem"
  ca_file = "ca.pem"
  rate = 0
  [app.fcm]
  url = "https://127.0.0.1:8445"
  service_account_file = "service-account-dijon-app.json"
  ca_file = "ca.pem"
  rate = 0
)");
}

}  // namespace
}  // namespace tocsin::sim
