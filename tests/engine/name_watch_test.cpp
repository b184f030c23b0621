#include "engine/name_watch.hpp"

#include "tests/support/redis_fixture.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

class counting_log final : public logger {
public:
    [[nodiscard]] bool enabled(log_level) const noexcept override { return true; }
    void write(log_level level, std::string_view event, std::span<const log_field>) noexcept override {
        errors += level == log_level::error && event == "engine.name_shared" ? 1 : 0;
    }
    std::size_t errors = 0;
};

class NameWatchTest : public testing::redis_fixture {
protected:
    /// An engine, as far as its name goes.
    struct process {
        process(NameWatchTest& test, std::string name, std::string word)
            : watch(test.redis, test.keys, std::move(name), std::move(word), log) {}

        counting_log log;
        name_watch watch;
    };

    void look(process& who) {
        run([](process& one) -> boost::asio::awaitable<bool> {
            co_await one.watch.look();
            co_return true;
        }(who));
    }
};

TEST_F(NameWatchTest, OneWhoIsAloneHearsOfNobody) {
    process alone(*this, "host", "1");
    for (int i = 0; i < 3; ++i) {
        look(alone);
        EXPECT_FALSE(alone.watch.shared());
    }
    EXPECT_EQ(alone.log.errors, 0U);
}

TEST_F(NameWatchTest, ARestartOfTheSameEngineIsNoDouble) {
    process before(*this, "host", "1");
    look(before);
    process after(*this, "host", "2");
    look(after);
    look(after);
    EXPECT_FALSE(after.watch.shared());
    EXPECT_EQ(after.log.errors, 0U);
}

TEST_F(NameWatchTest, TwoOfOneNameBothSayItOnceUntilOneIsGone) {
    process one(*this, "host", "1");
    process two(*this, "host", "2");
    process elsewhere(*this, "other", "3");
    for (int i = 0; i < 3; ++i) {
        look(one);
        look(two);
        look(elsewhere);
    }
    EXPECT_TRUE(one.watch.shared());
    EXPECT_TRUE(two.watch.shared());
    EXPECT_FALSE(elsewhere.watch.shared());
    EXPECT_EQ(one.log.errors, 1U);
    EXPECT_EQ(two.log.errors, 1U);
    look(one);
    look(one);
    EXPECT_FALSE(one.watch.shared());
}

}  // namespace
}  // namespace tocsin
