#include "engine/intake/stream_consumer.hpp"

#include "tests/support/manual_time.hpp"
#include "tests/support/redis_fixture.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class StreamConsumerTest : public testing::redis_fixture {
protected:
    stream_consumer::settings as(const std::string& name) const {
        stream_consumer::settings out;
        out.stream = "things";
        out.group = "tocsin";
        out.consumer = name;
        out.count = 2;
        out.takeover = 30ms;
        return out;
    }
    void publish(const std::string& word) { server.cli({"XADD", "things", "*", "thing", word}); }
    std::vector<std::string> read(stream_consumer& who) {
        const auto batch = run(who.next(1ms));
        std::vector<std::string> out;
        if (batch.has_error()) {
            return {"error"};
        }
        for (const redis::stream_entry& entry : batch->entries) {
            out.emplace_back(entry.field("thing").value_or("deleted"));
        }
        return out;
    }

    using words = std::vector<std::string>;
    testing::manual_time clock;
    stream_consumer one{redis, as("one"), clock};
    stream_consumer two{redis, as("two"), clock};
};

TEST_F(StreamConsumerTest, WhatIsNewIsReadInItsOrderAndByOneOfTheGroup) {
    for (const char* const word : {"a", "b", "c"}) {
        publish(word);
    }
    EXPECT_EQ(read(one), (words{"a", "b"}));
    EXPECT_EQ(read(two), words{"c"});
    EXPECT_EQ(read(one), words{});
}

TEST_F(StreamConsumerTest, WhatItHadReadInAnEarlierLifeComesBeforeWhatIsNew) {
    for (const char* const word : {"a", "b", "c"}) {
        publish(word);
    }
    EXPECT_EQ(read(one).size() + read(one).size(), 3U);
    publish("d");
    stream_consumer again(redis, as("one"), clock);
    EXPECT_TRUE(again.reads_its_own());
    EXPECT_EQ(read(again), (words{"a", "b"}));
    EXPECT_EQ(read(again), words{"c"});
    EXPECT_EQ(read(again), words{"d"});
    EXPECT_FALSE(again.reads_its_own());
}

TEST_F(StreamConsumerTest, WhatOthersHaveHeldForTooLongIsTakenOverAtItsTime) {
    EXPECT_EQ(read(two), words{});
    publish("a");
    EXPECT_EQ(read(one), words{"a"});
    while (server.cli({"XPENDING", "things", "tocsin", "IDLE", "30", "-", "+", "1"}).empty()) {
    }
    EXPECT_EQ(read(two), words{}) << "it does not look again at once";
    clock.advance(3s);
    EXPECT_EQ(read(two), words{"a"});
}

TEST_F(StreamConsumerTest, AGroupThatIsGoneIsMadeAnew) {
    publish("a");
    EXPECT_EQ(read(one), words{"a"});
    server.cli({"XGROUP", "DESTROY", "things", "tocsin"});
    EXPECT_EQ(read(one), words{"error"});
    one.start_over();
    EXPECT_EQ(read(one), words{"a"}) << "from the beginning: nothing is forgotten";
}

TEST_F(StreamConsumerTest, WhatIsNoStreamIsAnErrorAndNoCrash) {
    server.cli({"SET", "things", "x"});
    EXPECT_EQ(read(one), words{"error"});
}

}  // namespace
}  // namespace tocsin
