#include "providers/common/peer_clock.hpp"

#include "providers/common/http_date.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string_view>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view date = "Sun, 06 Nov 1994 08:49:37 GMT";

struct counting_log final : logger {
    [[nodiscard]] bool enabled(log_level) const noexcept override { return true; }
    void write(log_level, std::string_view event, std::span<const log_field>) noexcept override {
        told += event == "clock.differs" ? 1 : 0;
    }
    int told = 0;
};

TEST(PeerClock, IsReadFromTheDateOfAnAnswerThatCameSoon) {
    const wall_time then = parse_http_date(date).value();
    EXPECT_EQ(clock_ahead(date, 100ms, then), 0s);
    EXPECT_EQ(clock_ahead(date, 100ms, then + 999ms), 0s);
    EXPECT_EQ(clock_ahead(date, 100ms, then + 1h), 1h);
    EXPECT_EQ(clock_ahead(date, 100ms, then - 1h), -1h);
    EXPECT_EQ(clock_ahead(date, 3s, then + 1h), std::nullopt);
    for (const std::string_view not_a_date : {"", "now", "Sun, 06 Nov 1994 08:49:37 CET", "784111777"}) {
        EXPECT_EQ(clock_ahead(not_a_date, 100ms, then), std::nullopt) << not_a_date;
    }
}

TEST(PeerClock, ThatDiffersIsToldOnceUntilItIsRight) {
    counting_log log;
    peer_clock clock;
    const auto told_after = [&](std::optional<std::chrono::seconds> ahead) {
        clock.compare(ahead, "push.example.org", log);
        return log.told;
    };
    EXPECT_EQ(told_after(5s), 0) << "a date is told to the second, and answers take their time";
    EXPECT_EQ(told_after(6s), 1);
    EXPECT_EQ(told_after(-1h), 1) << "said already";
    EXPECT_EQ(told_after(std::nullopt), 1);
    EXPECT_EQ(told_after(6s), 1) << "an answer without a date has changed nothing";
    for (const auto ahead : {5s, 6s, 4s, 6s}) {
        EXPECT_EQ(told_after(ahead), 1) << "on the edge";
    }
    EXPECT_EQ(told_after(3s), 1);
    EXPECT_EQ(told_after(-6s), 2);
}

}  // namespace
}  // namespace tocsin
