#include "providers/apns/settings.hpp"
#include "providers/fcm/settings.hpp"
#include "tests/engine/ops/config_fixture.hpp"

#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>

namespace tocsin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// One RSA key for all tests: making one takes its time.
const std::string& rsa_pem() {
    static const std::string pem = testing::pem_of(testing::make_rsa_key(2048).get());
    return pem;
}

class ConfigAppTest : public testing::config_fixture {
protected:
    void SetUp() override {
        folder.write("key.p8", testing::pem_of(testing::make_ec_key().get()));
        folder.write("account.json", boost::json::serialize(testing::make_service_account(rsa_pem())));
    }

    /// One app with these lines in [app.apns], which begin in line 5.
    static std::string with_apns(std::string_view lines) {
        return "[[app]]\nid = \"a\"\ncommunes = [\"*\"]\n[app.apns]\n" + std::string(lines);
    }
    static std::string with_fcm(std::string_view lines) {
        return "[[app]]\nid = \"a\"\ncommunes = [\"*\"]\n[app.fcm]\n" + std::string(lines);
    }
};

constexpr std::string_view good_apns =
    "topic = \"fr.example\"\nteam_id = \"ABCDE12345\"\nkey_id = \"KEY1234567\"\nkey_file = \"key.p8\"\n";
constexpr std::string_view good_fcm = "service_account_file = \"account.json\"\n";

TEST_F(ConfigAppTest, AppsAreReadWithTheirFilesMadeAbsolute) {
    const config_outcome outcome = load(R"(
[[app]]
id = "mairies"
communes = ["*"]
  [app.apns]
  topic = "fr.example.mairies"
  team_id = "ABCDE12345"
  key_id = "KEY1234567"
  key_file = "key.p8"
  url = "https://127.0.0.1:8443/"
  rate = 500
  [app.fcm]
  service_account_file = "sub/../account.json"
  project_id = "other-project"
  rate = 9000

[[app]]
id = "dijon"
communes = ["21231", "2A004", "97105"]
  [app.fcm]
  service_account_file = "account.json"
)");
    ASSERT_THAT(shown(outcome), IsEmpty());
    ASSERT_EQ(outcome.value.apps.size(), 2U);
    const app_settings& first = outcome.value.apps[0];
    EXPECT_EQ(first.id, "mairies");
    const auto* const apns = first.find<apns_settings>();
    ASSERT_NE(apns, nullptr);
    EXPECT_EQ(apns->key_file, (folder.path() / "key.p8").string());
    EXPECT_EQ(apns->url, "https://127.0.0.1:8443");
    EXPECT_EQ(apns->sandbox_url, "https://api.sandbox.push.apple.com");
    EXPECT_EQ(apns->rate, 500U);
    const auto* const fcm = first.find<fcm_settings>();
    ASSERT_NE(fcm, nullptr);
    EXPECT_EQ(fcm->service_account_file, (folder.path() / "account.json").string());
    EXPECT_EQ(fcm->project_id, "other-project");
    EXPECT_EQ(fcm->rate, 9000U);
    const app_settings& second = outcome.value.apps[1];
    EXPECT_THAT(second.communes, ElementsAre("21231", "2A004", "97105"));
    EXPECT_EQ(second.find<apns_settings>(), nullptr);
    EXPECT_EQ(second.find<fcm_settings>()->rate, 0U);
}

TEST_F(ConfigAppTest, DuplicateIdNamesTheOtherApp) {
    const std::string one = "[[app]]\nid = \"a\"\ncommunes = [\"*\"]\n[app.fcm]\n" + std::string(good_fcm);
    EXPECT_EQ(
        problems(one + one),
        "tocsin.toml:7: app.id: the app in line 2 is called \"a\" already; each app needs an id of its "
        "own\n");
}

TEST_F(ConfigAppTest, MissingKeysAreReportedWhereTheirTableBegins) {
    EXPECT_THAT(
        shown(load("\n[[app]]\n  [app.apns]\n  [app.fcm]\n")),
        ElementsAre(
            HasSubstr("tocsin.toml:2: app.id: each app needs an id"),
            HasSubstr("tocsin.toml:2: app.communes: must list the INSEE codes"),
            HasSubstr("tocsin.toml:3: app.apns.topic: is missing"),
            HasSubstr("tocsin.toml:3: app.apns.key_file: is missing"),
            HasSubstr("tocsin.toml:4: app.fcm.service_account_file: is missing")));
}

TEST_F(ConfigAppTest, AppWithoutAProviderReachesNobody) {
    EXPECT_EQ(
        problems("[[app]]\nid = \"a\"\ncommunes = [\"*\"]\n"),
        "tocsin.toml:1: app: the app reaches nobody: it needs [app.apns], [app.fcm] or [app.webpush]\n");
}

TEST_F(ConfigAppTest, SingleTableInPlaceOfAListIsExplained) {
    EXPECT_EQ(
        problems("[app]\nid = \"a\"\n"),
        "tocsin.toml:1: app: each app is a table that begins with [[app]]\n");
}

TEST_F(ConfigAppTest, PathOfATableInsideAnAppIsNoSection) {
    EXPECT_THAT(problems("[\"app.apns\"]\ntopic = \"t\"\n"), HasSubstr("app.apns: unknown section"));
}

TEST_F(ConfigAppTest, UnknownKeysInsideAppsHaveSuggestions) {
    EXPECT_EQ(
        problems(with_apns(std::string(good_apns) + "key_fil = \"key.p8\"\n")),
        "tocsin.toml:9: app.apns.key_fil: unknown key; did you mean key_file?\n");
    EXPECT_EQ(
        problems(
            "[[app]]\nid = \"a\"\ncommunes = [\"*\"]\nservice_account_file = \"x\"\n[app.fcm]\n" +
            std::string(good_fcm)),
        "tocsin.toml:4: app.service_account_file: unknown key; service_account_file belongs in [app.fcm]\n");
}

struct bad_value {
    const char* name;
    const char* line;
    const char* complaint;
};

void PrintTo(const bad_value& given, std::ostream* out) {
    *out << given.name;
}

class ConfigAppValueTest : public ConfigAppTest, public ::testing::WithParamInterface<bad_value> {};

TEST_P(ConfigAppValueTest, IsRefused) {
    EXPECT_THAT(
        shown(load("[[app]]\n" + std::string(GetParam().line) + "\n[app.fcm]\n" + std::string(good_fcm))),
        ::testing::Contains(HasSubstr(std::string("tocsin.toml:2: ") + GetParam().complaint)));
}

INSTANTIATE_TEST_SUITE_P(
    Malformed, ConfigAppValueTest,
    ::testing::Values(
        bad_value{"IdWithSpace", "id = \"a b\"", "app.id: each app needs an id of 1 to 64"},
        bad_value{"IdWithColon", "id = \"a:b\"", "app.id: each app needs an id of 1 to 64"},
        bad_value{"EmptyId", "id = \"\"", "app.id: each app needs an id of 1 to 64"},
        bad_value{"IdOfWrongType", "id = 5", "app.id: must be a text in quotes; this is a whole number"},
        bad_value{
            "PostalCodeWithSpace", "communes = [\"21 231\"]",
            "app.communes: \"21 231\" is not an INSEE code"},
        bad_value{"ShortCode", "communes = [\"2123\"]", "app.communes: \"2123\" is not an INSEE code"},
        bad_value{
            "LowerCaseCorsica", "communes = [\"2a004\"]", "app.communes: \"2a004\" is not an INSEE code"},
        bad_value{
            "LetterElsewhere", "communes = [\"3A004\"]", "app.communes: \"3A004\" is not an INSEE code"},
        bad_value{"StarAmongOthers", "communes = [\"21231\", \"*\"]", "app.communes: \"*\" is every commune"},
        bad_value{"Twice", "communes = [\"21231\", \"21231\"]", "app.communes: \"21231\" is listed twice"},
        bad_value{"NumberForCode", "communes = [21231]", "app.communes: must be a list of texts"},
        bad_value{"TextForList", "communes = \"21231\"", "app.communes: must be a list of texts"},
        bad_value{
            "ProviderOfWrongType", "apns = true", "app.apns: must be a table, which begins with [app.apns]"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(ConfigAppTest, ProviderUrlsAreHttpsAndNameAServerOnly) {
    EXPECT_EQ(
        problems(with_apns(
            std::string(good_apns) +
            "url = \"http://api.push.apple.com\"\nsandbox_url = \"https://api.push.apple.com/3/device\"\n")),
        "tocsin.toml:9: app.apns.url: must begin with https://, not \"http://api.push.apple.com\"\n"
        "tocsin.toml:10: app.apns.sandbox_url: must end after the host and port, not "
        "\"https://api.push.apple.com/3/device\"\n");
    EXPECT_EQ(
        problems(with_fcm(std::string(good_fcm) + "url = \"fcm.googleapis.com\"\n")),
        "tocsin.toml:6: app.fcm.url: must be a URL such as \"https://api.example.com\", not "
        "\"fcm.googleapis.com\"\n");
    EXPECT_EQ(
        problems(with_fcm(std::string(good_fcm) + "url = \"https://user:secret@host\"\n")),
        "tocsin.toml:6: app.fcm.url: must not hold a user name or a password\n");
}

TEST_F(ConfigAppTest, KeyThatOthersCanReadIsToldHowToPutItRight) {
    const std::string path = folder.write("key.p8", testing::pem_of(testing::make_ec_key().get()), 0644);
    const config_outcome outcome = load(with_apns(good_apns));
    ASSERT_EQ(outcome.problems.size(), 1U);
    EXPECT_EQ(outcome.problems[0].line, 8U);
    EXPECT_EQ(outcome.problems[0].key, "app.apns.key_file");
    EXPECT_THAT(outcome.problems[0].message, HasSubstr("chmod 600 " + path));
}

TEST_F(ConfigAppTest, KeyFileThatIsMissingIsNamed) {
    std::filesystem::remove(folder.path() / "key.p8");
    EXPECT_EQ(
        problems(with_apns(good_apns)),
        "tocsin.toml:8: app.apns.key_file: key.p8 cannot be read: No such file or directory\n");
}

TEST_F(ConfigAppTest, SigningKeyNeedsItsIds) {
    EXPECT_EQ(
        problems(with_apns("topic = \"t\"\nkey_file = \"key.p8\"\nteam_id = \"has space\"\n")),
        "tocsin.toml:4: app.apns.key_id: must be the id of the key, which is in the name of its file, such "
        "as "
        "\"ABCDE12345\"\n"
        "tocsin.toml:7: app.apns.team_id: must be the id of the team that owns the key, such as "
        "\"ABCDE12345\"\n");
}

class ConfigCertificateTest : public ConfigAppTest {
protected:
    void SetUp() override {
        ConfigAppTest::SetUp();
        const auto key = testing::make_ec_key();
        folder.write("own.key", testing::pem_of(key.get()));
        folder.write("own.pem", testing::make_certificate(key.get(), now - day, now + day), 0644);
        folder.write("old.pem", testing::make_certificate(key.get(), now - 2 * day, now - day), 0644);
        folder.write("new.pem", testing::make_certificate(key.get(), now + day, now + 2 * day), 0644);
    }

    static constexpr std::chrono::hours day{24};
};

TEST_F(ConfigCertificateTest, StandsInPlaceOfASigningKey) {
    const config_outcome outcome = load(
        with_apns("topic = \"t\"\ncertificate_file = \"own.pem\"\ncertificate_key_file = \"own.key\"\n"));
    EXPECT_THAT(shown(outcome), IsEmpty());
    EXPECT_EQ(
        outcome.value.apps[0].find<apns_settings>()->certificate_file, (folder.path() / "own.pem").string());
    EXPECT_EQ(
        outcome.value.apps[0].find<apns_settings>()->certificate_key_file,
        (folder.path() / "own.key").string());
}

TEST_F(ConfigCertificateTest, BesideASigningKeyIsOneTooMany) {
    EXPECT_EQ(
        problems(with_apns(
            std::string(good_apns) + "certificate_file = \"own.pem\"\ncertificate_key_file = \"own.key\"\n")),
        "tocsin.toml:9: app.apns.certificate_file: an app authenticates with key_file or with "
        "certificate_file; "
        "leave one of them out\n");
}

TEST_F(ConfigCertificateTest, WithoutItsKeyIsIncomplete) {
    EXPECT_EQ(
        problems(with_apns("topic = \"t\"\ncertificate_file = \"own.pem\"\n")),
        "tocsin.toml:4: app.apns.certificate_key_file: is missing: the private key of the certificate\n");
    EXPECT_EQ(
        problems(with_apns("topic = \"t\"\ncertificate_key_file = \"own.key\"\n")),
        "tocsin.toml:4: app.apns.certificate_file: is missing: the certificate of that key\n");
}

TEST_F(ConfigAppTest, ServiceAccountWithoutItsKeysIdIsToldWithFileLineAndKey) {
    auto document = testing::make_service_account(rsa_pem());
    document.erase("private_key_id");
    folder.write("account.json", boost::json::serialize(document));
    EXPECT_EQ(
        problems(with_fcm(good_fcm)),
        "tocsin.toml:5: app.fcm.service_account_file: account.json has no \"private_key_id\"; a service "
        "account's key file has\n");
}

TEST_F(ConfigAppTest, ProjectOfOneAppDoesNotStandInForAnothers) {
    auto document = testing::make_service_account(rsa_pem());
    document.erase("project_id");
    folder.write("account.json", boost::json::serialize(document));
    EXPECT_EQ(problems(with_fcm(std::string(good_fcm) + "project_id = \"village-news\"\n")), "");
    EXPECT_THAT(
        problems(
            with_fcm(std::string(good_fcm) + "project_id = \"village-news\"\n") +
            "[[app]]\nid = \"b\"\ncommunes = [\"*\"]\n[app.fcm]\n" + std::string(good_fcm)),
        HasSubstr("tocsin.toml:11: app.fcm.service_account_file: account.json has no \"project_id\""));
}

TEST_F(ConfigCertificateTest, OutsideItsTimeIsRefused) {
    for (const std::string name : {"old.pem", "new.pem"}) {
        EXPECT_THAT(
            problems(with_apns(
                "topic = \"t\"\ncertificate_file = \"" + name + "\"\ncertificate_key_file = \"own.key\"\n")),
            HasSubstr(
                "tocsin.toml:6: app.apns.certificate_file: the certificate in " + name + " is valid from"));
    }
}

TEST_F(ConfigCertificateTest, OfAnotherKeyIsRefused) {
    folder.write("other.key", testing::pem_of(testing::make_ec_key().get()));
    EXPECT_EQ(
        problems(with_apns(
            "topic = \"t\"\ncertificate_file = \"own.pem\"\ncertificate_key_file = \"other.key\"\n")),
        "tocsin.toml:7: app.apns.certificate_key_file: other.key is not the private key of the certificate "
        "in "
        "own.pem\n");
}

TEST_F(ConfigCertificateTest, OnlyExpiredTrustRootsAreNoTrust) {
    folder.write("both.pem", "", 0644);
    EXPECT_EQ(problems(with_fcm(std::string(good_fcm) + "ca_file = \"own.pem\"\n")), "");
    EXPECT_EQ(
        problems(with_fcm(std::string(good_fcm) + "ca_file = \"old.pem\"\n")),
        "tocsin.toml:6: app.fcm.ca_file: no certificate in old.pem is valid today\n");
}

}  // namespace
}  // namespace tocsin
