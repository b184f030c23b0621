#include "engine/redis/check.hpp"

#include "engine/redis/error.hpp"
#include "engine/redis/reply_reader.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::redis {
namespace {

replies answers(std::string_view wire) {
    reply_reader reader;
    replies all;
    reader.feed(wire);
    while (reader.next(all).value() == reply_reader::progress::complete) {
    }
    return all;
}

class recording_logger final : public logger {
public:
    bool enabled(log_level) const noexcept override { return true; }
    void write(log_level, std::string_view event, std::span<const log_field> fields) noexcept override {
        lines.emplace_back(event);
        for (const log_field& field : fields) {
            lines.back() += ' ' + std::string(field.key) + '=' + field.value;
        }
    }
    std::vector<std::string> lines;
};

TEST(RedisChecked, LetsGoodAnswersThrough) {
    std::string text;
    const auto got = checked(answers("+OK\r\n:1\r\n"), &text);
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(got->size(), 2U);
    EXPECT_TRUE(text.empty());
}

TEST(RedisChecked, TurnsTheFirstErrorReplyIntoAnErrorAndKeepsItsText) {
    std::string text;
    const auto got = checked(answers("+OK\r\n-ERR one\r\n-ERR two\r\n"), &text);
    EXPECT_EQ(got.error(), redis_errc::error_reply);
    EXPECT_EQ(text, "ERR one");
}

TEST(RedisChecked, TellsWhatRedisDeclinesFromAKeyThatIsSomethingElse) {
    for (const char* const said :
         {"OOM command not allowed", "READONLY You can't write against a read only replica.",
          "MISCONF Redis is", "BUSY Redis is busy", "NOPERM this user", "LOADING Redis is loading",
          "NOGROUP No such key", "MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381",
          "CROSSSLOT Keys in request don't hash to the same slot",
          "ERR Script attempted to access a non local key in a cluster node",
          "DENIED Redis is running in protected mode", "UNBLOCKED the stream key no longer exists",
          "UNKILLABLE Sorry the script already executed write commands", "WRONGPASS invalid username",
          "ERR Error running script (call to f_1): @user_script:3: -OOM command not allowed",
          "ERR The user executing the script can't run this command or subcommand script: c46b, on "
          "@user_script:3."}) {
        EXPECT_EQ(checked(answers(std::string("-") + said + "\r\n")).error(), redis_errc::declined) << said;
    }
    EXPECT_EQ(checked(answers("-WRONGTYPE Operation against a key\r\n")).error(), redis_errc::damaged);
}

TEST(RedisChecked, PassesAFailureOn) {
    EXPECT_EQ(checked(redis_errc::timed_out).error(), redis_errc::timed_out);
}

TEST(RedisChecked, SaysInTheLogWhatRedisSaid) {
    recording_logger log;
    EXPECT_TRUE(checked(answers("+OK\r\n"), log, "checkpoint").has_value());
    EXPECT_TRUE(log.lines.empty());
    EXPECT_FALSE(checked(answers("-OOM command not allowed\r\n"), log, "checkpoint").has_value());
    ASSERT_EQ(log.lines.size(), 1U);
    EXPECT_EQ(log.lines[0], "redis.command_failed purpose=checkpoint error=OOM command not allowed");
}

}  // namespace
}  // namespace tocsin::redis
