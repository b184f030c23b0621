#include "engine/ops/admin_server.hpp"
#include "engine/runtime/wait_queue.hpp"
#include "tests/engine/ops/admin_fixture.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

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
        server->route(
            "GET", "/health", [](const admin_request&) { return admin_response(); }, admin_share::health);
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

TEST_F(AdminLimitsTest, ClientsThatHangDelayNobody) {
    serve({.connections = 4, .reserve = 2});
    std::vector<std::unique_ptr<http_client>> hanging;
    for (int n = 0; n < 40; ++n) {
        hanging.push_back(std::make_unique<http_client>(port));
        if (n % 3 == 1) {
            hanging.back()->send_bytes("GET /quick HTTP/1.1\r\nHo");
        } else if (n % 3 == 2) {
            hanging.back()->send_bytes("POST /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123");
        }
        http_client client(port);
        EXPECT_EQ(client.get(n % 2 == 0 ? "/health" : "/quick").result_int(), 200U) << n;
    }
    EXPECT_LE(connections(), 7U);
}

TEST_F(AdminLimitsTest, TheClientThatWasSilentForLongestMakesRoom) {
    serve({.connections = 1, .reserve = 1});
    http_client first(port);
    EXPECT_EQ(first.get("/quick").result_int(), 200U);
    http_client second(port);
    EXPECT_EQ(second.get("/quick").result_int(), 200U);
    EXPECT_EQ(first.get("/quick").result_int(), 200U);
    http_client third(port);
    EXPECT_EQ(third.get("/quick").result_int(), 200U);
    EXPECT_TRUE(second.is_closed());
    EXPECT_EQ(first.get("/quick").result_int(), 200U);
}

TEST_F(AdminLimitsTest, HealthIsAnsweredHoweverManyRequestsAreUnderWay) {
    serve({.connections = 1, .reserve = 2});
    http_client slow(port);
    slow.send(http_client::make(http::verb::get, "/slow"));
    ASSERT_EQ(entered.get_future().wait_for(5s), std::future_status::ready);
    http_client client(port);
    EXPECT_EQ(client.get("/quick").result_int(), 503U);
    EXPECT_EQ(client.get("/health").result_int(), 200U);
    release();
    EXPECT_EQ(slow.receive().result_int(), 200U);
    EXPECT_EQ(client.get("/quick").result_int(), 200U);
}

TEST_F(AdminLimitsTest, OnlyNamesOfOurOwnAreAnsweredTo) {
    make({});
    server->accept_host("tocsin.example.org");
    server->route("GET", "/quick", [](const admin_request&) { return admin_response(); });
    start();
    const auto status = [&](const std::string& head) {
        http_client client(port);
        client.send_bytes(head + "\r\n");
        return client.receive().result_int();
    };
    EXPECT_EQ(status("GET /quick HTTP/1.1\r\nHost: 127.0.0.1:9464\r\n"), 200U);
    EXPECT_EQ(status("GET /quick HTTP/1.1\r\nHost: tocsin.example.org\r\n"), 200U);
    EXPECT_EQ(status("GET /quick HTTP/1.1\r\nHost: rebound.attacker.example\r\n"), 421U);
    EXPECT_EQ(status("GET /quick HTTP/1.1\r\nHost: \r\n"), 421U);
    EXPECT_EQ(status("GET /quick HTTP/1.1\r\n"), 400U);
    EXPECT_EQ(status("GET /quick HTTP/1.1\r\nHost: localhost\r\nHost: rebound.attacker.example\r\n"), 400U);
    EXPECT_EQ(status("GET /quick HTTP/1.0\r\n"), 200U);
}

TEST_F(AdminLimitsTest, ATransferEncodingThatWeDoNotUndoIsRefused) {
    serve({});
    for (const auto& [fields, status] : std::vector<std::pair<std::string, unsigned>>{
             {"Transfer-Encoding: gzip\r\n", 501},
             {"Transfer-Encoding: gzip, chunked\r\n", 501},
             {"Transfer-Encoding: chunked, gzip\r\n", 501},
             {"Transfer-Encoding: identity\r\n", 501},
             {"Transfer-Encoding: xchunked\r\n", 501},
             {"Transfer-Encoding: \r\n", 501},
             {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
             {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 501},
             {"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", 400},
             {"Transfer-Encoding: chunked\r\n", 200}}) {
        http_client client(port);
        client.send_bytes("POST /quick HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n0\r\n\r\n");
        EXPECT_EQ(client.receive().result_int(), status) << fields;
    }
    http_client old(port);
    old.send_bytes("POST /quick HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    EXPECT_EQ(old.receive().result_int(), 400U);
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
