#include "engine/ops/admin_server.hpp"
#include "engine/runtime/wait_queue.hpp"
#include "tests/engine/ops/admin_fixture.hpp"

#include <gmock/gmock.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::http_client;
namespace http = boost::beast::http;

class AdminLimitsTest : public testing::admin_fixture {
protected:
    /// A server with a quick route, and one whose handler waits for release().
    void serve(const admin_limits& limits) {
        make(limits);
        server->route("GET", "/quick", [](const admin_request&) { return admin_response(); });
        server->route("POST", "/quick", [](const admin_request&) { return admin_response(); });
        server->route("GET", "/slow", admin_handler([this](const admin_request&) {
                          entered.set_value();
                          return wait_for_release();
                      }));
        start();
    }

    boost::asio::awaitable<admin_response> wait_for_release() {
        while (!released) {
            co_await changed.wait();
        }
        admin_response out;
        out.body = "\"done\"";
        co_return out;
    }

    void release() {
        boost::asio::post(loop, [this] {
            released = true;
            changed.notify_all();
        });
    }

    std::promise<void> entered;
    wait_queue changed{loop.get_executor()};
    bool released = false;  // Touched on the server's thread only.
};

TEST_F(AdminLimitsTest, HeaderThatIsTooLargeIs431) {
    serve({});
    http_client client(port);
    auto request = http_client::make(http::verb::get, "/quick");
    request.set("X-Large", std::string(9 * 1024, 'x'));
    client.send(std::move(request));
    EXPECT_EQ(client.receive().result_int(), 431U);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(AdminLimitsTest, BodyThatIsTooLargeIs413EvenBeforeItIsSent) {
    serve({.body_bytes = 1000});
    http_client client(port);
    client.send_bytes("POST /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
    EXPECT_EQ(client.receive().result_int(), 413U);
}

TEST_F(AdminLimitsTest, BodyThatIsTooLargeIs413AlsoToAClientThatSendsItAll) {
    serve({.body_bytes = 100'000});
    http_client client(port);
    const auto answer =
        client.exchange(http_client::make(http::verb::post, "/quick", std::string(300'000, 'x')));
    EXPECT_EQ(answer.result_int(), 413U);
}

TEST_F(AdminLimitsTest, EndlessChunksAre413) {
    serve({.body_bytes = 10});
    http_client client(port);
    client.send_bytes(
        "POST /quick HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" +
        std::string(255, 'x'));
    EXPECT_EQ(client.receive().result_int(), 413U);
}

TEST_F(AdminLimitsTest, ClientThatSaysNothingIsClosed) {
    serve({.timeout = 50ms});
    http_client client(port);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(AdminLimitsTest, ClientThatStopsMidwayIsClosed) {
    serve({.timeout = 50ms});
    http_client client(port);
    client.send_bytes("GET /quick HTTP/1.1\r\nHo");
    EXPECT_TRUE(client.is_closed());
    http_client another(port);
    EXPECT_EQ(another.get("/quick").result_int(), 200U);
}

TEST_F(AdminLimitsTest, HandlerThatTakesTooLongIs504) {
    serve({.timeout = 50ms});
    http_client client(port);
    EXPECT_EQ(client.get("/slow").result_int(), 504U);
    EXPECT_EQ(client.get("/quick").result_int(), 200U);
}

TEST_F(AdminLimitsTest, ClientsBeyondTheLimitWaitForASlot) {
    serve({.connections = 2});
    http_client first(port);
    http_client second(port);
    EXPECT_EQ(first.get("/quick").result_int(), 200U);
    EXPECT_EQ(second.get("/quick").result_int(), 200U);

    http_client third(port);
    third.send(http_client::make(http::verb::get, "/slow"));
    auto third_entered = entered.get_future();
    // A round trip on an open connection gives the server every chance to take the third.
    EXPECT_EQ(second.get("/quick").result_int(), 200U);
    EXPECT_EQ(third_entered.wait_for(0s), std::future_status::timeout);

    first.close();
    ASSERT_EQ(third_entered.wait_for(5s), std::future_status::ready);
    release();
    EXPECT_EQ(third.receive().result_int(), 200U);
}

TEST_F(AdminLimitsTest, StopLetsRunningRequestsAnswer) {
    serve({});
    http_client idle(port);
    EXPECT_EQ(idle.get("/quick").result_int(), 200U);
    http_client busy(port);
    busy.send(http_client::make(http::verb::get, "/slow"));
    ASSERT_EQ(entered.get_future().wait_for(5s), std::future_status::ready);

    auto stopped = begin_stop(10s);
    EXPECT_TRUE(idle.is_closed());
    EXPECT_EQ(stopped.wait_for(0s), std::future_status::timeout);
    release();
    const auto answer = busy.receive();
    EXPECT_EQ(answer.body(), "\"done\"");
    EXPECT_FALSE(answer.keep_alive());
    EXPECT_EQ(stopped.wait_for(5s), std::future_status::ready);
    EXPECT_THROW(http_client{port}, boost::system::system_error);
}

TEST_F(AdminLimitsTest, StopCutsOffWhatOutlastsItsDeadline) {
    serve({});
    http_client busy(port);
    busy.send(http_client::make(http::verb::get, "/slow"));
    ASSERT_EQ(entered.get_future().wait_for(5s), std::future_status::ready);
    auto stopped = begin_stop(20ms);
    EXPECT_EQ(stopped.wait_for(5s), std::future_status::ready);
}

}  // namespace
}  // namespace tocsin
