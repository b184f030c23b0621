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
            : checks(test.time),
              watch(test.redis, test.keys, std::move(name), std::move(word), log, checks) {}
        [[nodiscard]] bool ready() const { return checks.readiness().good(); }

        counting_log log;
        health checks;
        name_watch watch;
    };

    void look(process& who) {
        run([](process& one) -> boost::asio::awaitable<bool> {
            co_await one.watch.look();
            co_return true;
        }(who));
    }
};

TEST_F(NameWatchTest, OneWhoIsAloneIsReadyFromItsFirstLookOn) {
    process alone(*this, "host", "1");
    EXPECT_FALSE(alone.ready());
    for (int i = 0; i < 3; ++i) {
        look(alone);
        EXPECT_TRUE(alone.ready());
    }
    EXPECT_EQ(alone.log.errors, 0U);
}

TEST_F(NameWatchTest, ARestartOfTheSameEngineIsNoDouble) {
    process before(*this, "host", "1");
    look(before);
    process after(*this, "host", "2");
    look(after);
    look(after);
    EXPECT_TRUE(after.ready());
    EXPECT_EQ(after.log.errors, 0U);
}

TEST_F(NameWatchTest, TwoOfOneNameBothFailAndSayItOnceUntilOneIsGone) {
    process one(*this, "host", "1");
    process two(*this, "host", "2");
    process elsewhere(*this, "other", "3");
    for (int i = 0; i < 3; ++i) {
        look(one);
        look(two);
        look(elsewhere);
    }
    EXPECT_FALSE(one.ready());
    EXPECT_FALSE(two.ready());
    EXPECT_TRUE(elsewhere.ready());
    EXPECT_EQ(one.log.errors, 1U);
    EXPECT_EQ(two.log.errors, 1U);
    look(one);
    look(one);
    EXPECT_TRUE(one.ready());
}

}  // namespace
}  // namespace tocsin
