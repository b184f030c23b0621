#include "tests/e2e/engine_fixture.hpp"

#include <boost/json/serialize.hpp>

#include <string>

#include <gtest/gtest.h>

// A Firebase project whose key for APNs is refused: its iPhones wait, and the operator is told.

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::fcm_token;
using testing::number;
using testing::registration_line;

class FirebaseAppleKeyTest : public testing::engine_fixture {
protected:
    static constexpr std::size_t iphones = 3;
    static constexpr std::size_t androids = 3;

    void register_devices() {
        std::string lines;
        for (std::size_t n = 0; n < iphones + androids; ++n) {
            lines += registration_line("mairies", "fcm", fcm_token(n), {"commune:21231"});
        }
        import(lines);
    }

    /// The first so many are iPhones; each is refused so often.
    void refuse_iphones(std::size_t times) {
        json::array answers;
        for (std::size_t n = 0; n < iphones; ++n) {
            json::array then;
            for (std::size_t i = 0; i < times; ++i) {
                then.push_back(json::object{{"reason", "THIRD_PARTY_AUTH_ERROR"}});
            }
            answers.push_back(json::object{{"token", fcm_token(n)}, {"then", then}});
        }
        const auto done = providers->change(json::object{{"fcm", json::object{{"answers", answers}}}});
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }
};

TEST_F(FirebaseAppleKeyTest, IsInReadyzWhileAndroidIsReachedAndCostsTheIPhonesNoTries) {
    start_engine();
    register_devices();
    refuse_iphones(1);
    const std::string event =
        publish(R"({"audience":["commune:21231"],"ttl":12,"notification":{"title":"Essai"}})");
    ASSERT_TRUE(testing::eventually([&] {
        return health().find("Upload a valid APNs key in the Firebase console") != std::string::npos;
    })) << health();
    EXPECT_FALSE(ready());
    EXPECT_EQ(health().find("mairies/fcm is paused"), std::string::npos) << health();
    const json::object result = wait_for_result(event);
    testing::expect_sums_agree(result);
    EXPECT_EQ(number(result, "accepted"), iphones + androids) << json::serialize(result);
    EXPECT_EQ(number(result, "retries"), 0) << json::serialize(result);
    EXPECT_TRUE(testing::eventually([&] { return ready(); })) << health();
    EXPECT_EQ(stop_engine(), 0);
}

TEST_F(FirebaseAppleKeyTest, ThatIsNotMendedInTimeIsNamedByTheResult) {
    start_engine();
    register_devices();
    refuse_iphones(100);
    const json::object result = wait_for_result(
        publish(R"({"audience":["commune:21231"],"ttl":4,"notification":{"title":"Essai"}})"));
    testing::expect_sums_agree(result);
    EXPECT_EQ(number(result, "accepted"), androids) << json::serialize(result);
    EXPECT_EQ(number(result, "failed"), iphones) << json::serialize(result);
    EXPECT_EQ(number(result.at("reasons").as_object(), "fcm:InvalidProviderToken"), iphones)
        << json::serialize(result);
    EXPECT_EQ(number(result, "retries"), 0) << json::serialize(result);
    EXPECT_EQ(stop_engine(), 0);
}

}  // namespace
}  // namespace tocsin
