#include "engine/runtime/deadline.hpp"

#include "engine/runtime/wait_queue.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using boost::asio::awaitable;

class DeadlineTest : public ::testing::Test {
protected:
    awaitable<result<int>> say(result<int> what) {
        co_await turn.wait();
        co_return what;
    }
    void begin(awaitable<result<int>> operation, time_point deadline) {
        boost::asio::co_spawn(
            loop, with_deadline(std::move(operation), deadline),
            boost::asio::bind_cancellation_slot(
                cancel.slot(), [this](std::exception_ptr failed, result<int> outcome) {
                    thrown = std::move(failed);
                    ended = outcome;
                }));
        run();
    }
    void let_it_go_on() {
        turn.notify_all();
        run();
    }
    void run() {
        loop.restart();
        loop.poll();
    }

    boost::asio::io_context loop{1};
    wait_queue turn{loop.get_executor()};
    boost::asio::cancellation_signal cancel;
    std::exception_ptr thrown;
    std::optional<result<int>> ended;
};

TEST_F(DeadlineTest, AnOperationThatEndsBeforeItIsWhatItSays) {
    begin(say(7), time_point::max());
    EXPECT_FALSE(ended.has_value());
    let_it_go_on();
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(ended->value(), 7);
    ended.reset();
    begin(say(error_code(boost::asio::error::eof)), time_point::max());
    let_it_go_on();
    EXPECT_EQ(ended->error(), boost::asio::error::eof);
}

TEST_F(DeadlineTest, AnOperationThatLastsLongerIsCutOff) {
    begin(say(7), clock::now());
    loop.restart();
    loop.run();
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(ended->error(), boost::asio::error::timed_out);
}

TEST_F(DeadlineTest, WhoeverIsCancelledHearsThatAndNotThatTimeIsUp) {
    begin(say(7), time_point::max());
    cancel.emit(boost::asio::cancellation_type::terminal);
    run();
    ASSERT_TRUE(ended.has_value());
    EXPECT_FALSE(thrown);
    EXPECT_EQ(ended->error(), boost::asio::error::operation_aborted);
}

TEST_F(DeadlineTest, AnOperationThatThrowsDoesNotEnd) {
    begin(
        []() -> awaitable<result<int>> {
            throw std::runtime_error("x");
            co_return 7;
        }(),
        clock::now() + std::chrono::milliseconds(10));
    loop.restart();
    loop.run();
    ASSERT_TRUE(ended.has_value());
    EXPECT_FALSE(thrown) << "who waits needs no handler";
    EXPECT_EQ(ended->error(), boost::asio::error::timed_out);
}

}  // namespace
}  // namespace tocsin
