#include "providers/fcm/message_form.hpp"

#include <boost/json/parse.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

// The rules one by one, at their edges. That each member of the form is checked by its rule:
// message_members_test.cpp.

namespace tocsin::fcm {
namespace {

/// What is said of a message; empty if it is taken.
std::string said_of(std::string_view message) {
    const auto fine = check_message_form(boost::json::parse(message).as_object());
    if (!fine.has_error()) {
        return {};
    }
    EXPECT_EQ(fine.error().code, "invalid_override");
    return fine.error().message;
}

struct edge {
    std::string before;  ///< What stands around the value.
    std::string after;
    std::vector<std::string> taken;
    std::vector<std::string> refused;
};

TEST(FcmMessageForm, HoldsEachValueToItsEdges) {
    const std::vector<edge> edges{
        {R"({"android":{"ttl":)",
         "}}",
         {R"("0s")", R"("999999999999s")", R"("1.123456789s")"},
         {R"("9999999999999s")", R"("1.1234567890s")", R"(".5s")", R"("1.2.3s")", R"("s")", R"("1 s")", "3"}},
        {R"({"android":{"notification":{"notification_count":)",
         "}}}",
         {"0", "2147483647"},
         {"-1", "2147483648", "1.0", "9223372036854775808"}},
        {R"({"android":{"notification":{"light_settings":{"color":{"red":)",
         "}}}}}",
         {"0", "1", "0.0", "1.0"},
         {"-0.001", "1.001", R"("1")"}},
        {R"({"android":{"notification":{"color":)",
         "}}}",
         {R"("#09afAF")"},
         {R"("#09afA")", R"("#09afAFF")", R"("x09afAF")", R"("##9afAF")", R"("#09afAG")"}},
        {R"({"android":{"priority":)",
         "}}",
         {R"("HIGH")", R"("NORMAL")", R"("high")"},
         {R"("")", R"("HIG")", R"("IGH")", R"("High")", R"("NORMAL HIGH")", "1"}},
        {R"({"webpush":{"headers":{"TTL":)",
         "}}}",
         {R"("0")", R"("4294967295")"},
         {R"("")", R"("42949672950")", R"("-1")", R"("1.5")", "1"}},
        {R"({"webpush":{"headers":{"urgency":)",
         "}}}",
         {R"("very-low")", R"("high")"},
         {R"("")", R"("low normal")", R"("High")"}},
        {R"({"android":{"notification":{"vibrate_timings":)", "}}}", {"[]", R"(["1s"])"}, {R"(["1s",""])"}},
    };
    for (const edge& one : edges) {
        for (const std::string& value : one.taken) {
            EXPECT_EQ(said_of(one.before + value + one.after), "") << one.before << value;
        }
        for (const std::string& value : one.refused) {
            EXPECT_NE(said_of(one.before + value + one.after), "") << one.before << value;
        }
    }
}

TEST(FcmMessageForm, NamesThePathAndTheMemberThatWasMeant) {
    struct row {
        std::string_view given;
        std::string_view says;
    };
    for (const row& one : std::vector<row>{
             {R"({"andriod":{}})", "fcm.andriod is no member that FCM knows; did you mean android?"},
             {R"({"android":{"notification":{"android_channel_id":"a"}}})",
              "fcm.android.notification.android_channel_id is no member that FCM knows; did you mean "
              "channel_id?"},
             {R"({"weather":1})", "fcm.weather is no member that FCM knows"},
             {R"({"android":7})", "fcm.android must be an object"},
             {R"({"data":{"ok":"x","wrong":1}})", "fcm.data.wrong must be a string"}}) {
        EXPECT_EQ(said_of(one.given), one.says);
    }
}

TEST(FcmMessageForm, FieldsOfHttpAreTheSameInSmallAndInCapitalLetters) {
    EXPECT_EQ(
        said_of(R"({"webpush":{"headers":{"Topic":"a","TOPIC":"b"}}})"),
        "fcm.webpush.headers.TOPIC stands twice: fields of HTTP are the same in small and in capital "
        "letters");
    EXPECT_EQ(said_of(R"({"webpush":{"headers":{"Topic":"a","Own":"b"}}})"), "");
}

TEST(FcmMessageForm, KeysThatFcmKeepsForItselfAreNoData) {
    for (const std::string_view key :
         {"from", "message_type", "gcm", "gcmx", "gcm.n.e", "google", "google.c"}) {
        EXPECT_TRUE(is_reserved_key(key)) << key;
        EXPECT_EQ(
            said_of(R"({"data":{")" + std::string(key) + R"(":"x"}})"),
            "fcm.data." + std::string(key) + " is a key that FCM keeps for itself");
    }
    for (const std::string_view key :
         {"", "From", "fromage", "message_types", "gc", "agcm", "goo", "agoogle"}) {
        EXPECT_FALSE(is_reserved_key(key)) << key;
    }
}

TEST(FcmMessageForm, WithoutAnApnsBlockNothingIsAskedOfOne) {
    EXPECT_EQ(said_of("{}"), "");
    EXPECT_EQ(said_of(R"({"apns":{}})"), "");
}

TEST(FcmMessageForm, ABackgroundPushNamesAPriorityThatIsNotFcmsOwn) {
    const auto background = [](const std::string& more, const std::string& beside = "") {
        return said_of(
            R"({"apns":{"headers":{"apns-push-type":"background")" + more +
            R"(},"payload":{"aps":{"content-available":1}}})" + beside + "}");
    };
    EXPECT_EQ(background(R"(,"apns-priority":"5")"), "");
    EXPECT_EQ(background(R"(,"apns-priority":"1")"), "");
    EXPECT_TRUE(background("").starts_with("fcm.apns.headers.apns-priority must be \"5\""));
    EXPECT_TRUE(background(R"(,"apns-priority":"10")").starts_with("fcm.apns.headers.apns-priority"));
    EXPECT_TRUE(background(R"(,"apns-priority":"5")", R"(,"notification":{"title":"x"})")
                    .starts_with("fcm.apns.headers.apns-push-type is background"))
        << "FCM shows its own notification on iOS, too";
}

TEST(FcmMessageForm, AnAlertIsShownByApsOrByFcmsOwnNotification) {
    constexpr std::string_view type = R"("apns":{"headers":{"apns-push-type":"alert"}})";
    EXPECT_TRUE(
        said_of("{" + std::string(type) + "}").starts_with("fcm.apns.headers.apns-push-type is alert"));
    EXPECT_EQ(said_of("{" + std::string(type) + R"(,"notification":{"title":"x"}})"), "");
    EXPECT_EQ(
        said_of(R"({"apns":{"headers":{"apns-push-type":"alert"},"payload":{"aps":{"badge":0}}}})"), "");
    EXPECT_EQ(said_of(R"({"apns":{"payload":{"aps":[]}}})"), "fcm.apns.payload.aps must be an object");
}

}  // namespace
}  // namespace tocsin::fcm
