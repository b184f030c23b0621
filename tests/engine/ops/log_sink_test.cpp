#include "engine/ops/log_sink.hpp"

#include "tests/support/manual_time.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <latch>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tocsin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// A pipe that the sink writes to; nobody reads it unless the test does.
class log_pipe {
public:
    log_pipe() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }
    log_pipe(const log_pipe&) = delete;
    log_pipe& operator=(const log_pipe&) = delete;
    ~log_pipe() {
        ::close(ends_[0]);
        end_writing();
    }

    [[nodiscard]] int reader() const noexcept { return ends_[0]; }
    [[nodiscard]] int writer() const noexcept { return ends_[1]; }
    void end_writing() noexcept {
        if (ends_[1] >= 0) {
            ::close(std::exchange(ends_[1], -1));
        }
    }

private:
    std::array<int, 2> ends_{-1, -1};
};

class LogSinkTest : public ::testing::Test {
protected:
    LogSinkTest() : descriptor_(::memfd_create("log", MFD_CLOEXEC)) {
        options.descriptor = descriptor_;
        options.format = log_format::text;
    }
    ~LogSinkTest() override { ::close(descriptor_); }

    void open() { sink.emplace(options, time); }

    /// Ends the sink, which writes everything, and returns the lines without their time.
    std::vector<std::string> close() {
        sink.reset();
        std::string all;
        std::array<char, 65536> chunk;
        ::lseek(descriptor_, 0, SEEK_SET);
        for (ssize_t count = 0; (count = ::read(descriptor_, chunk.data(), chunk.size())) > 0;) {
            all.append(chunk.data(), static_cast<std::size_t>(count));
        }
        std::vector<std::string> lines;
        for (std::size_t at = 0; at < all.size();) {
            const std::size_t end = all.find('\n', at);
            const std::string line = all.substr(at, end - at);
            lines.push_back(line.substr(line.find(' ') + 1));
            at = end + 1;
        }
        return lines;
    }

    testing::manual_time time;
    log_sink_options options;
    std::optional<log_sink> sink;

private:
    int descriptor_;
};

TEST_F(LogSinkTest, EverythingIsWrittenInOrderBeforeTheEnd) {
    open();
    for (int i = 0; i < 15; ++i) {
        sink->info("step", {{"i", i}});
    }
    const auto lines = close();
    ASSERT_THAT(lines, SizeIs(15));
    EXPECT_EQ(lines.front(), "INFO    step i=0");
    EXPECT_EQ(lines.back(), "INFO    step i=14");
}

TEST_F(LogSinkTest, LinesBelowTheLevelAreNotWritten) {
    options.level = log_level::warning;
    open();
    EXPECT_FALSE(sink->enabled(log_level::info));
    EXPECT_TRUE(sink->enabled(log_level::error));
    sink->info("quiet");
    sink->warning("loud");
    sink->set_level(log_level::debug);
    sink->debug("detail");
    EXPECT_THAT(close(), ElementsAre("WARNING loud", "DEBUG   detail"));
}

TEST_F(LogSinkTest, FloodOfOneEventIsCutAndCounted) {
    options.lines_per_second = 3;
    open();
    for (int i = 0; i < 10; ++i) {
        sink->error("fault", {{"i", i}});
    }
    sink->info("other");
    EXPECT_THAT(
        close(), ElementsAre(
                     "ERROR   fault i=0", "ERROR   fault i=1", "ERROR   fault i=2", "INFO    other",
                     "WARNING log.suppressed of=fault lines=7"));
}

TEST_F(LogSinkTest, WhatWasCutIsToldAfterASecondAndOnlyOnce) {
    options.lines_per_second = 1;
    open();
    sink->info("fault");
    sink->info("fault");
    time.advance(std::chrono::seconds(1));
    sink->info("fault");
    EXPECT_THAT(
        close(), ElementsAre("INFO    fault", "WARNING log.suppressed of=fault lines=1", "INFO    fault"));
}

TEST_F(LogSinkTest, EndlessNamesShareOneBudget) {
    options.lines_per_second = 1;
    open();
    for (int i = 0; i < 1200; ++i) {
        sink->info("event-" + std::to_string(i));
    }
    const auto lines = close();
    EXPECT_EQ(lines.back(), "WARNING log.suppressed of=\"(others)\" lines=175");
    EXPECT_THAT(lines, SizeIs(1024 + 1 + 1));
}

TEST_F(LogSinkTest, LinesOfSeveralThreadsDoNotMix) {
    constexpr int writers = 4;
    constexpr int rounds = 500;
    options.lines_per_second = 1'000'000;
    open();
    {
        std::latch started(writers);
        std::vector<std::jthread> threads;
        for (int writer = 0; writer < writers; ++writer) {
            threads.emplace_back([&, writer] {
                started.arrive_and_wait();
                for (int i = 0; i < rounds; ++i) {
                    sink->info("line", {{"writer", writer}, {"i", i}});
                }
            });
        }
    }
    const auto lines = close();
    EXPECT_THAT(lines, SizeIs(writers * rounds));
    EXPECT_THAT(std::set<std::string>(lines.begin(), lines.end()), SizeIs(writers * rounds));
    EXPECT_THAT(lines, ::testing::Each(::testing::StartsWith("INFO    line writer=")));
}

TEST_F(LogSinkTest, ReaderThatIsGoneHarmsNobody) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    // A closed read end raises SIGPIPE, which the process ignores while it serves; a write end that is
    // closed as well is refused without it.
    ::close(ends[0]);
    ::close(ends[1]);
    options.descriptor = ends[1];
    open();
    sink->info("lost");
    EXPECT_THAT(close(), SizeIs(0));
}

TEST(LogOptionsTest, AutoIsJsonWhereNobodyReads) {
    const int descriptor = ::memfd_create("log", MFD_CLOEXEC);
    EXPECT_EQ(
        log_options_for({.level = "debug", .format = "auto"}, descriptor, false).format, log_format::json);
    EXPECT_EQ(
        log_options_for({.level = "debug", .format = "text"}, descriptor, false).format, log_format::text);
    EXPECT_EQ(
        log_options_for({.level = "debug", .format = "json"}, descriptor, false).format, log_format::json);
    EXPECT_EQ(
        log_options_for({.level = "debug", .format = "auto"}, descriptor, false).level, log_level::debug);
    ::close(descriptor);
}

TEST(LogOptionsTest, TerminalGetsTextAndColourUnlessRefused) {
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    ASSERT_GE(terminal, 0);
    EXPECT_EQ(
        log_options_for({.level = "info", .format = "auto"}, terminal, false).format,
        log_format::colour_text);
    EXPECT_EQ(log_options_for({.level = "info", .format = "auto"}, terminal, true).format, log_format::text);
    EXPECT_EQ(log_options_for({.level = "info", .format = "json"}, terminal, false).format, log_format::json);
    ::close(terminal);
}

TEST_F(LogSinkTest, AReaderThatTakesNothingDoesNotHoldUpTheEndHoweverMuchWaits) {
    const log_pipe pipe;
    options.descriptor = pipe.writer();
    options.farewell = std::chrono::milliseconds(50);
    options.lines_per_second = 1'000'000;
    open();
    // More than the pipe and the queue hold, and lines longer than a pipe takes in one piece.
    for (int i = 0; i < 20'000; ++i) {
        sink->info("step", {{"what", std::string(i % 100 == 0 ? 10'000 : 100, 'x')}});
    }
    const auto begun = std::chrono::steady_clock::now();
    sink.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST_F(LogSinkTest, AReaderThatTakesNothingIsWaitedForFromTheMomentTheEndIsExpected) {
    const log_pipe pipe;
    options.descriptor = pipe.writer();
    options.farewell = std::chrono::milliseconds(600);
    options.lines_per_second = 1'000'000;
    open();
    for (int i = 0; i < 2'000; ++i) {
        sink->info("step", {{"what", std::string(100, 'x')}});
    }
    sink->expect_end();
    // What others take to end, as an engine does for as long as engine.shutdown_timeout: the clock is the
    // kernel's.
    std::this_thread::sleep_for(options.farewell + std::chrono::milliseconds(200));
    const auto begun = std::chrono::steady_clock::now();
    sink.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, options.farewell / 2);
}

TEST_F(LogSinkTest, AReaderThatComesLateGetsEverythingThatWaits) {
    log_pipe pipe;
    options.descriptor = pipe.writer();
    options.farewell = std::chrono::seconds(30);
    options.lines_per_second = 1'000'000;
    open();
    for (int i = 0; i < 4'000; ++i) {
        sink->info("step", {{"what", std::string(100, 'x')}});
    }
    std::size_t lines = 0;
    std::jthread reader([&] {
        std::array<char, 65536> chunk;
        for (ssize_t count = 0; (count = ::read(pipe.reader(), chunk.data(), chunk.size())) > 0;) {
            lines += static_cast<std::size_t>(std::count(chunk.begin(), chunk.begin() + count, '\n'));
        }
    });
    sink.reset();
    pipe.end_writing();
    reader.join();
    EXPECT_EQ(lines, 4'000U);
}

}  // namespace
}  // namespace tocsin
