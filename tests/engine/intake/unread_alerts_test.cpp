#include "engine/intake/unread_alerts.hpp"

#include "tests/support/redis_fixture.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

class UnreadAlertsTest : public testing::redis_fixture {
protected:
    void make_group() { server.cli({"XGROUP", "CREATE", keys.events(), "tocsin", "0", "MKSTREAM"}); }
    void publish(const std::string& document) { server.cli({"XADD", keys.events(), "*", "event", document}); }
    void publish_alerts(int count) {
        for (int i = 0; i < count; ++i) {
            publish(R"({"priority":"critical"})");
        }
    }
    void engine_reads(int count) {
        server.cli(
            {"XREADGROUP", "GROUP", "tocsin", "a", "COUNT", std::to_string(count), "STREAMS", keys.events(),
             ">"});
    }
    std::size_t look() {
        auto found = run(subject.look());
        EXPECT_TRUE(found.has_value());
        for (const auto& each : *found) {
            EXPECT_TRUE(seen.insert(each.entry).second) << "found twice";
        }
        return found->size();
    }

    unread_alerts subject{redis, keys};
    std::set<std::string> seen;
};

TEST_F(UnreadAlertsTest, AreFoundOnceEachBehindWhateverIsUnread) {
    make_group();
    for (int i = 0; i < 300; ++i) {
        publish(R"({"priority":"normal"})");
    }
    publish_alerts(1);
    EXPECT_EQ(look(), 1U);
    EXPECT_EQ(look(), 0U);
    publish_alerts(2);
    EXPECT_EQ(look(), 2U);
}

TEST_F(UnreadAlertsTest, AreNoneThatAnEngineHasRead) {
    make_group();
    publish_alerts(5);
    engine_reads(3);
    EXPECT_EQ(look(), 2U);
}

TEST_F(UnreadAlertsTest, AreNoneWhereNoEngineHasEverRead) {
    publish_alerts(1);
    EXPECT_EQ(look(), 0U);
}

TEST_F(UnreadAlertsTest, OfAFloodComeAHundredAtATimeAndNoneIsPassedOver) {
    make_group();
    publish_alerts(250);
    EXPECT_EQ(look(), 100U);
    EXPECT_EQ(look(), 100U);
    EXPECT_EQ(look(), 50U);
}

TEST_F(UnreadAlertsTest, OfAnotherStreamInItsPlaceAreFoundFromItsBeginning) {
    make_group();
    publish_alerts(3);
    engine_reads(3);
    EXPECT_EQ(look(), 0U);
    server.cli({"DEL", keys.events()});
    make_group();
    server.cli({"XADD", keys.events(), "1-1", "event", R"({"priority":"critical"})"});
    EXPECT_EQ(look(), 1U);
}

}  // namespace
}  // namespace tocsin
