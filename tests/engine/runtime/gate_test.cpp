#include "engine/runtime/gate.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

class GateTest : public ::testing::Test {
protected:
    void close() {
        boost::asio::co_spawn(
            loop, subject.close(),
            boost::asio::bind_cancellation_slot(
                cancel.slot(), [this](const std::exception_ptr& thrown, const result<>& outcome) {
                    EXPECT_FALSE(thrown);
                    closed = outcome.has_error() ? outcome.error() : error_code();
                }));
        run();
    }
    void run() {
        loop.restart();
        loop.poll();
    }

    boost::asio::io_context loop{1};
    gate subject{loop.get_executor()};
    boost::asio::cancellation_signal cancel;
    std::optional<error_code> closed;  ///< Of close(), once it has returned.
};

TEST_F(GateTest, CountsWhatIsInsideOnceHoweverItsPassIsHandedOn) {
    auto first = subject.try_enter();
    auto second = subject.try_enter();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(subject.in_flight(), 2U);
    {
        const gate::pass moved = std::move(*first);
        first.reset();
        EXPECT_EQ(subject.in_flight(), 2U);
    }
    EXPECT_EQ(subject.in_flight(), 1U);
    second.reset();
    EXPECT_EQ(subject.in_flight(), 0U);
}

TEST_F(GateTest, ClosesWhenTheLastHasLeftAndLetsNobodyInMeanwhile) {
    auto first = subject.try_enter();
    auto second = subject.try_enter();
    close();
    EXPECT_FALSE(closed.has_value());
    EXPECT_FALSE(subject.try_enter().has_value());
    first.reset();
    run();
    EXPECT_FALSE(closed.has_value());
    second.reset();
    run();
    EXPECT_EQ(closed, error_code());
}

TEST_F(GateTest, AnEmptyOneClosesAtOnceAndMayBeClosedAgain) {
    close();
    EXPECT_EQ(closed, error_code());
    EXPECT_FALSE(subject.try_enter().has_value());
    closed.reset();
    close();
    EXPECT_EQ(closed, error_code());
}

TEST_F(GateTest, WhoeverWaitsMayGiveUpAndTheGateStaysClosed) {
    auto inside = subject.try_enter();
    close();
    cancel.emit(boost::asio::cancellation_type::terminal);
    run();
    EXPECT_EQ(closed, boost::asio::error::operation_aborted);
    EXPECT_FALSE(subject.try_enter().has_value());
    closed.reset();
    inside.reset();
    close();
    EXPECT_EQ(closed, error_code());
}

}  // namespace
}  // namespace tocsin
