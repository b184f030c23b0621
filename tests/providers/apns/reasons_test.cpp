#include "providers/apns/reasons.hpp"

#include "providers/common/reason_word.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin::apns {
namespace {

using enum reaction;
using enum http2::connection_advice;

struct row {
    std::uint16_t status;
    std::string_view reason;
    reaction action;
    http2::connection_advice connection = keep;
};

void PrintTo(const row& given, std::ostream* out) {
    *out << given.status << ' ' << given.reason;
}

class ApnsReasonTest : public ::testing::TestWithParam<row> {};

TEST_P(ApnsReasonTest, HasItsReaction) {
    const reason_row& found = find_reason(GetParam().status, GetParam().reason);
    EXPECT_EQ(found.reason, GetParam().reason);
    EXPECT_EQ(to_string(found.action), to_string(GetParam().action));
    EXPECT_EQ(found.connection, GetParam().connection);
    EXPECT_EQ(reason_word(found.reason), found.reason);
}

TEST_P(ApnsReasonTest, IsExplainedInSentences) {
    const std::string text = explain(GetParam().status, GetParam().reason);
    EXPECT_GT(text.size(), 30U);
    EXPECT_TRUE(text.ends_with('.') || text.ends_with('?')) << text;
}

TEST_P(ApnsReasonTest, IsNotBelievedWithAForeignStatus) {
    EXPECT_EQ(find_reason(499, GetParam().reason).reason, "Unknown");
}

INSTANTIATE_TEST_SUITE_P(
    Documented, ApnsReasonTest,
    ::testing::Values(
        row{400, "BadCollapseId", reject_event}, row{400, "BadDeviceToken", doubt_token},
        row{400, "BadExpirationDate", reject_event}, row{400, "BadMessageId", reject_push},
        row{400, "BadPriority", reject_event}, row{400, "BadTopic", pause_app},
        row{400, "DeviceTokenNotForTopic", doubt_token}, row{400, "DuplicateHeaders", reject_event},
        row{400, "IdleTimeout", retry_elsewhere, drain}, row{400, "InvalidPushType", reject_event},
        row{400, "MissingDeviceToken", reject_push}, row{400, "MissingTopic", pause_app},
        row{400, "PayloadEmpty", reject_event}, row{400, "TopicDisallowed", pause_app, drain},
        row{403, "BadCertificate", pause_app, drain}, row{403, "BadCertificateEnvironment", pause_app, drain},
        row{403, "ExpiredProviderToken", refresh_credential, drain}, row{403, "Forbidden", pause_app, drain},
        row{403, "InvalidProviderToken", pause_app, drain},
        row{403, "MissingProviderToken", pause_app, drain},
        row{403, "UnrelatedKeyIdInToken", retry_elsewhere, drain},
        row{403, "BadEnvironmentKeyIdInToken", pause_app, drain},
        row{403, "BadEnvironmentKeyInToken", pause_app, drain}, row{404, "BadPath", reject_push},
        row{405, "MethodNotAllowed", reject_push}, row{410, "ExpiredToken", drop_token},
        row{410, "Unregistered", drop_token}, row{413, "PayloadTooLarge", reject_event},
        row{429, "TooManyProviderTokenUpdates", pause_app, drain}, row{429, "TooManyRequests", retry_here},
        row{500, "InternalServerError", retry_elsewhere, drain},
        row{503, "ServiceUnavailable", retry_elsewhere}, row{503, "Shutdown", retry_elsewhere, drain}),
    [](const auto& test) { return std::string(test.param.reason); });

TEST(ApnsReasons, AreAllTested) {
    EXPECT_EQ(reason_table().size(), 33U);
}

struct status_case {
    std::uint16_t status;
    reaction action;
};

class ApnsUnknownReasonTest : public ::testing::TestWithParam<status_case> {};

TEST_P(ApnsUnknownReasonTest, IsJudgedByItsStatus) {
    const reason_row& found = find_reason(GetParam().status, "InventedNextYear");
    EXPECT_EQ(found.reason, "Unknown");
    EXPECT_EQ(to_string(found.action), to_string(GetParam().action));
    EXPECT_EQ(to_string(find_reason(GetParam().status, "").action), to_string(GetParam().action));
}

INSTANTIATE_TEST_SUITE_P(
    Statuses, ApnsUnknownReasonTest,
    ::testing::Values(
        status_case{200, accept}, status_case{301, retry_elsewhere}, status_case{400, reject_push},
        status_case{403, pause_app}, status_case{404, reject_push}, status_case{408, retry_elsewhere},
        status_case{410, doubt_token}, status_case{413, reject_event}, status_case{429, retry_here},
        status_case{500, retry_elsewhere}, status_case{502, retry_elsewhere},
        status_case{503, retry_elsewhere}, status_case{504, retry_elsewhere},
        status_case{600, retry_elsewhere}),
    [](const auto& test) { return std::to_string(test.param.status); });

TEST(ApnsReasons, ThatAWrongClockCanBringAboutNameTheClock) {
    for (const char* const reason : {"InvalidProviderToken", "ExpiredProviderToken"}) {
        EXPECT_NE(explain(403, reason).find("clock"), std::string::npos) << reason;
    }
    EXPECT_NE(explain(429, "TooManyProviderTokenUpdates").find("clock"), std::string::npos);
}

TEST(ApnsReasons, OfUnansweredPushesAreExplainedToo) {
    EXPECT_NE(explain(0, "Timeout").find("no answer"), std::string::npos);
    EXPECT_NE(explain(0, "SandboxBusy").find("development"), std::string::npos);
}

}  // namespace
}  // namespace tocsin::apns
