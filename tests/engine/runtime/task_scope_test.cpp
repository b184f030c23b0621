#include "engine/runtime/task_scope.hpp"

#include "engine/runtime/wait_queue.hpp"
#include "tests/support/manual_time.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <stdexcept>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;

class TaskScopeTest : public ::testing::Test {
protected:
    awaitable<void> hang() {
        co_await released.wait();
        ++ended;
    }
    awaitable<void> hang_and_start_another() {
        co_await released.wait();
        scope->spawn(hang());
    }
    void wait_until(time_point end) {
        boost::asio::co_spawn(
            loop,
            [](task_scope& of, time_point until, bool& done) -> awaitable<void> {
                co_await of.wait_until(until);
                done = true;
            }(*scope, end, over),
            boost::asio::detached);
        run();
    }
    void run() {
        loop.restart();
        loop.poll();
    }

    testing::manual_time time;
    boost::asio::io_context loop{1};
    wait_queue released{loop.get_executor()};
    std::unique_ptr<task_scope> scope = std::make_unique<task_scope>(loop.get_executor(), time);
    int ended = 0;
    bool over = false;
};

TEST_F(TaskScopeTest, TheWaitEndsWithTheLastTask) {
    scope->spawn(hang());
    scope->spawn(hang());
    wait_until(time_point::max());
    EXPECT_FALSE(over);
    released.notify_all();
    run();
    EXPECT_TRUE(over);
    EXPECT_EQ(ended, 2);
}

TEST_F(TaskScopeTest, TheWaitEndsAtItsDeadlineWhateverHangs) {
    scope->spawn(hang());
    wait_until(time.now() + 1s);
    time.advance(999ms);
    run();
    EXPECT_FALSE(over);
    time.advance(1ms);
    run();
    EXPECT_TRUE(over);
    EXPECT_EQ(scope->size(), 1U);
}

TEST_F(TaskScopeTest, AScopeWithoutTasksIsNotWaitedFor) {
    wait_until(time_point::max());
    EXPECT_TRUE(over);
}

TEST_F(TaskScopeTest, WhatATaskStartsAtItsEndIsWaitedForToo) {
    scope->spawn(hang_and_start_another());
    wait_until(time_point::max());
    released.notify_all();
    run();
    EXPECT_FALSE(over);
    released.notify_all();
    run();
    EXPECT_TRUE(over);
}

TEST_F(TaskScopeTest, ATaskThatThrowsIsOver) {
    scope->spawn([]() -> awaitable<void> {
        throw std::runtime_error("no");
        co_return;
    }());
    wait_until(time_point::max());
    EXPECT_TRUE(over);
}

TEST_F(TaskScopeTest, TheScopeMayGoBeforeATaskThatHangs) {
    scope->spawn(hang());
    wait_until(time_point::max());
    scope.reset();
    EXPECT_EQ(ended, 0);
}

}  // namespace
}  // namespace tocsin
