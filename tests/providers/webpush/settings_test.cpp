#include "providers/webpush/settings.hpp"

#include "tests/engine/ops/credentials.hpp"
#include "tests/engine/ops/temporary_folder.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using ::testing::HasSubstr;

struct row {
    std::string text;
    std::string complaint;  ///< A part of it; empty: fine.
};

TEST(VapidSubject, IsAnAddressOrAnHttpsUrlAlone) {
    const std::vector<row> rows{
        {"mailto:dsi@example.fr", ""},
        {"mailto:a@b", ""},
        {"https://www.example.fr/contact", ""},
        {"mailto:", "must have an address behind mailto:"},
        {"mailto:dsi", "must have an address behind mailto:"},
        {"mailto:@example.fr", "must have an address behind mailto:"},
        {"mailto:dsi@", "must have an address behind mailto:"},
        {"<mailto:dsi@example.fr>", "without spaces, angle brackets and accents"},
        {"mailto: dsi@example.fr", "without spaces, angle brackets and accents"},
        {"mailto:dsi@\xc3\xa9xample.fr", "without spaces, angle brackets and accents"},
        {"mailto:dsi@example.fr\n", "without spaces, angle brackets and accents"},
        {"dsi@example.fr", "must begin with mailto: or https:"},
        {"http://www.example.fr", "must begin with mailto: or https:"},
        {"MAILTO:dsi@example.fr", "must begin with mailto: or https:"},
        {"https:www.example.fr", "must be a URL"},
        {"https://user:secret@example.fr", "must not hold a user name"},
    };
    for (const row& each : rows) {
        const auto fine = check_vapid_subject(each.text);
        EXPECT_EQ(fine.has_error(), !each.complaint.empty()) << each.text;
        EXPECT_THAT(fine.has_error() ? fine.error().message : "", HasSubstr(each.complaint)) << each.text;
    }
    EXPECT_EQ(
        check_vapid_subject("ftp://dsi:secret@example.fr").error().message.find("secret"), std::string::npos);
}

TEST(ServiceOrigin, IsWrittenAsOriginsAreCompared) {
    struct origin_row {
        std::string text;
        std::string wanted;  ///< Empty: refused.
        std::string complaint;
    };
    const std::vector<origin_row> rows{
        {"https://push.example.org", "https://push.example.org", ""},
        {"https://Push.Example.ORG/", "https://push.example.org", ""},
        {"https://push.example.org:443", "https://push.example.org", ""},
        {"https://push.example.org:8443", "https://push.example.org:8443", ""},
        {"https://push.example.org/wpush", "", "must end after the host and port"},
        {"https://push.example.org?a", "", "must end after the host and port"},
        {"http://push.example.org", "", "must begin with https://"},
        {"https://192.0.2.1", "", "must name a host, not an address"},
        {"https://[2001:db8::1]", "", "must name a host, not an address"},
        {"https://a:b@push.example.org", "", "must not hold a user name"},
        {"https://push.example.org:0", "", "must have a port"},
        {"push.example.org", "", "must be a URL"},
        {"", "", "must be a URL"},
    };
    for (const origin_row& each : rows) {
        const auto origin = check_service_origin(each.text);
        ASSERT_EQ(origin.has_error(), each.wanted.empty()) << each.text;
        EXPECT_EQ(origin.has_value() ? *origin : "", each.wanted) << each.text;
        EXPECT_THAT(origin.has_error() ? origin.error().message : "", HasSubstr(each.complaint)) << each.text;
    }
}

TEST(VapidKey, IsAPrivateKeyOnP256ThatNobodyElseCanRead) {
    const testing::temporary_folder folder;
    const auto complaint = [](const std::string& path) {
        const auto fine = check_vapid_key(path);
        return fine.has_error() ? fine.error().message : "";
    };
    EXPECT_EQ(complaint(folder.write("key.pem", testing::pem_of(testing::make_ec_key().get()))), "");
    EXPECT_THAT(
        complaint(folder.write("curve.pem", testing::pem_of(testing::make_ec_key("P-384").get()))),
        HasSubstr("EC keys on P-256 only"));
    EXPECT_THAT(complaint(folder.write("text.pem", "nothing")), HasSubstr("is not a PEM private key"));
    EXPECT_THAT(complaint("/nowhere/key.pem"), HasSubstr("/nowhere/key.pem"));
}

TEST(WebpushDestination, IsAServiceOfTheBrowsersOrAListedOne) {
    webpush_settings settings;
    settings.services = {"https://push.example.org:8443"};
    const std::vector<std::pair<std::string, bool>> endpoints{
        {"https://fcm.googleapis.com/fcm/send/abc", true},
        {"https://updates.push.services.mozilla.com/wpush/v2/abc", true},
        {"https://push.example.org:8443/abc", true},
        {"https://push.example.org/abc", false},
        {"https://fcm.googleapis.com.example.org/abc", false},
        {"https://10.0.0.1/abc", false},
    };
    for (const auto& [endpoint, fine] : endpoints) {
        EXPECT_EQ(settings.check_destination(endpoint).has_value(), fine) << endpoint;
    }
}

}  // namespace
}  // namespace tocsin
