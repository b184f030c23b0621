#include "engine/ops/config_checks.hpp"

#include "providers/platforms.hpp"
#include "tests/engine/ops/temporary_folder.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

class ConfigChecksTest : public ::testing::Test {
protected:
    /// Checks a file that is wrong, if `wrong`.
    void check(
        const std::string& path, const std::string& place, bool wrong = false,
        std::string_view circumstances = "") {
        subject.check_file(
            path, place,
            [this, wrong](const std::string& file) {
                asked.push_back(file);
                return wrong ? parsed<>(refusal{"x", file + " is wrong"}) : parsed<>();
            },
            circumstances);
    }
    std::vector<std::string> said() {
        std::vector<std::string> out;
        for (const config_problem& one : draft.take_problems()) {
            out.push_back(one.key + " " + one.message);
        }
        return out;
    }

    using texts = std::vector<std::string>;
    const config_table table{all_platform_configurations()};
    config_draft draft{table};
    config_checks subject{draft, wall_time(std::chrono::milliseconds(1'795'000'000'000))};
    texts asked;
};

TEST_F(ConfigChecksTest, AMissingValueIsToldUnlessSomethingElseWas) {
    subject.require("here", "app.0.id", "is missing");
    EXPECT_EQ(said(), texts());
    subject.require("", "app.0.id", "is missing");
    subject.require("", "app.0.id", "is missing");
    EXPECT_EQ(said(), texts{"app.id is missing"});
}

TEST_F(ConfigChecksTest, FilesOfAppsAreNotLookedAtForAReaderThatUsesNone) {
    draft.keys = app_keys::unused;
    check("a.pem", "app.0.fcm.ca_file", true);
    EXPECT_EQ(asked, texts());
    check("b.pem", "redis.ca_file", true);
    EXPECT_EQ(asked, texts{"b.pem"});
    EXPECT_EQ(said(), texts{"redis.ca_file b.pem is wrong"});
}

TEST_F(ConfigChecksTest, AFileIsReadOnceForAllPlacesThatAskTheSameOfIt) {
    check("a.pem", "app.0.fcm.ca_file");
    check("a.pem", "app.1.fcm.ca_file");
    EXPECT_EQ(asked, texts{"a.pem"});
    check("b.pem", "app.2.fcm.ca_file");
    check("a.pem", "app.2.fcm.service_account_file");
    check("a.pem", "app.3.fcm.ca_file", false, "another project");
    EXPECT_EQ(asked, (texts{"a.pem", "b.pem", "a.pem", "a.pem"}));
}

TEST_F(ConfigChecksTest, WhatIsWrongWithAFileIsToldAtEachPlaceThatNamesIt) {
    check("a.pem", "app.0.fcm.ca_file", true);
    check("a.pem", "app.1.fcm.ca_file", true);
    EXPECT_EQ(asked.size(), 1U);
    EXPECT_EQ(said(), (texts{"app.fcm.ca_file a.pem is wrong", "app.fcm.ca_file a.pem is wrong"}));
}

TEST_F(ConfigChecksTest, TheKeyOfACertificateIsReadEachTimeForItHasToFit) {
    check("key.pem", "app.0.apns.certificate_key_file");
    check("key.pem", "app.1.apns.certificate_key_file");
    EXPECT_EQ(asked.size(), 2U);
}

TEST_F(ConfigChecksTest, NoFileIsReadThatIsNotNamedOrThatIsKnownToBeWrong) {
    check("", "redis.ca_file", true);
    subject.problem("redis.certificate_file", "is of the wrong type");
    check("a.pem", "redis.certificate_file", true);
    EXPECT_EQ(asked, texts());
    EXPECT_EQ(said(), texts{"redis.certificate_file is of the wrong type"});
}

TEST_F(ConfigChecksTest, ACertificateAndItsKeyComeTogether) {
    const testing::temporary_folder folder;
    const std::string file = folder.write("a.pem", "nothing");
    subject.check_certificate_pair("", "redis.certificate_file", "", "redis.certificate_key_file");
    EXPECT_EQ(
        said(), (texts{
                    "redis.certificate_file is missing: the certificate of that key",
                    "redis.certificate_key_file is missing: the private key of the certificate"}));
    subject.check_certificate_pair(
        file, "app.0.apns.certificate_file", "", "app.0.apns.certificate_key_file");
    const texts both = said();
    ASSERT_EQ(both.size(), 2U);
    EXPECT_EQ(both[0], "app.apns.certificate_key_file is missing: the private key of the certificate");
    EXPECT_TRUE(both[1].starts_with("app.apns.certificate_file ")) << both[1];
}

TEST_F(ConfigChecksTest, ATrustRootIsCheckedAsOne) {
    const testing::temporary_folder folder;
    subject.check_root(folder.write("a.pem", "nothing"), "redis.ca_file");
    EXPECT_EQ(said().size(), 1U);
    subject.check_root("", "app.0.fcm.ca_file");
    EXPECT_EQ(said(), texts());
}

}  // namespace
}  // namespace tocsin
