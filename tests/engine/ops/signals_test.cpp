#include "engine/ops/signals.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <csignal>
#include <cstdlib>
#include <future>
#include <utility>

#include <gtest/gtest.h>

#include <unistd.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class SignalsTest : public ::testing::Test {
protected:
    signal_callbacks recording() {
        return {
            .stop = [this] { ++stops; },
            .reload = [this] { ++reloads; },
            .exit_now = [this](int code) { exit_code.set_value(code); }};
    }

    /// Runs the loop until one callback has been called on it.
    void run_one() { loop.run_one_for(5s); }

    boost::asio::io_context loop{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{loop.get_executor()};
    int stops = 0;
    int reloads = 0;
    std::promise<int> exit_code;
};

TEST_F(SignalsTest, FirstTerminationAsksForAnOrderlyStop) {
    const signal_watch watch(loop.get_executor(), recording());
    ::kill(::getpid(), SIGTERM);
    run_one();
    EXPECT_EQ(stops, 1);
    EXPECT_EQ(exit_code.get_future().wait_for(0s), std::future_status::timeout);
}

TEST_F(SignalsTest, SecondTerminationExitsAtOnceEvenIfTheLoopIsStuck) {
    const signal_watch watch(loop.get_executor(), recording());
    auto exited = exit_code.get_future();
    ::kill(::getpid(), SIGTERM);  // The loop does not run, so nobody has seen the first one yet.
    ::kill(::getpid(), SIGINT);
    ASSERT_EQ(exited.wait_for(5s), std::future_status::ready);
    const int code = exited.get();
    EXPECT_TRUE(code == 128 + SIGINT || code == 128 + SIGTERM) << code;
    EXPECT_EQ(stops, 0);
}

TEST_F(SignalsTest, EachHangupReloads) {
    const signal_watch watch(loop.get_executor(), recording());
    ::kill(::getpid(), SIGHUP);
    run_one();
    ::kill(::getpid(), SIGHUP);
    run_one();
    EXPECT_EQ(reloads, 2);
    EXPECT_EQ(stops, 0);
}

TEST_F(SignalsTest, BrokenPipeDoesNotEndTheProcess) {
    const signal_watch watch(loop.get_executor(), recording());
    EXPECT_EQ(std::raise(SIGPIPE), 0);
}

TEST(SignalsDeathTest, WithoutACallbackTheSecondSignalEndsTheProcessWithItsCode) {
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            boost::asio::io_context loop{1};
            boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
                loop.get_executor()};
            const signal_watch watch(
                loop.get_executor(),
                {.stop = [] { ::kill(::getpid(), SIGINT); }, .reload = [] {}, .exit_now = {}});
            ::kill(::getpid(), SIGINT);
            loop.run_for(10s);
            std::_Exit(1);
        },
        ::testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace tocsin
