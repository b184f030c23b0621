#include "providers/http2/connect_first.hpp"

#include "tests/support/reserved_port.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <deque>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::address_v4;
using boost::asio::ip::tcp;

class ConnectFirstTest : public ::testing::Test {
protected:
    /// An address of this machine at which nobody listens.
    tcp::endpoint closed() { return {address_v4::loopback(), unused.emplace_back().number()}; }
    error_code connect(
        std::vector<tcp::endpoint> addresses, std::function<bool()> wanted = [] { return true; }) {
        loop.restart();
        return testing::run_to_end(loop, connect_first(socket, std::move(addresses), 2s, std::move(wanted)));
    }

    std::deque<testing::reserved_port> unused;
    boost::asio::io_context loop{1};
    tcp::socket socket{loop};
    tcp::acceptor alive{loop, {address_v4::loopback(), 0}};
};

TEST_F(ConnectFirstTest, DeadAddressesArePassedOver) {
    EXPECT_FALSE(connect({closed(), closed(), closed(), alive.local_endpoint()}));
    EXPECT_EQ(socket.remote_endpoint(), alive.local_endpoint());
}

TEST_F(ConnectFirstTest, AnAddressThatSaysNothingCostsItsShareOfThePatience) {
    // A listener whose queue is full: the kernel drops what comes, as a front end that has gone does.
    tcp::acceptor mute(loop);
    mute.open(tcp::v4());
    mute.bind({address_v4::loopback(), 0});
    mute.listen(0);
    boost::asio::io_context crowd_loop{1};
    std::deque<tcp::socket> crowd;
    for (int i = 0; i < 4; ++i) {
        crowd.emplace_back(crowd_loop).async_connect(mute.local_endpoint(), [](const error_code&) {});
    }
    crowd_loop.poll();
    const auto began = std::chrono::steady_clock::now();
    EXPECT_FALSE(testing::run_to_end(
        loop,
        connect_first(socket, {mute.local_endpoint(), alive.local_endpoint()}, 200ms, [] { return true; })));
    EXPECT_EQ(socket.remote_endpoint(), alive.local_endpoint());
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
}

TEST_F(ConnectFirstTest, NoneThatAcceptsIsAnError) {
    EXPECT_EQ(connect({closed(), closed()}), boost::asio::error::connection_refused);
    EXPECT_EQ(connect({}), boost::asio::error::host_not_found);
}

TEST_F(ConnectFirstTest, StopsWhenNobodyWantsItAnyMore) {
    int asked = 0;
    EXPECT_EQ(
        connect({closed(), closed(), alive.local_endpoint()}, [&] { return ++asked < 2; }),
        boost::asio::error::operation_aborted);
    EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace tocsin::http2
