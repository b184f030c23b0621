#include "engine/ops/admin_server.hpp"

#include "engine/ops/admin_routes.hpp"
#include "tests/engine/ops/admin_fixture.hpp"
#include "tests/support/manual_time.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/parse.hpp>

#include <stdexcept>

#include <gmock/gmock.h>

namespace tocsin {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::http_client;
namespace http = boost::beast::http;

admin_response text(std::string body) {
    admin_response out;
    out.content_type = "text/plain";
    out.body = std::move(body);
    return out;
}

boost::asio::awaitable<admin_response> answer_later(const admin_request& request) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, std::chrono::milliseconds(1));
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_return text("later " + std::string(request.rest));
}

/// Gives three pieces, then ends.
class three_pieces final : public admin_event_source {
public:
    boost::asio::awaitable<std::shared_ptr<const std::string>> next() override {
        ++given_;
        co_return given_ > 3 ? nullptr
                             : std::make_shared<const std::string>("piece " + std::to_string(given_) + "\n");
    }

private:
    int given_ = 0;
};

/// Gives more than a reader that stands still can hold.
class endless_pieces final : public admin_event_source {
public:
    boost::asio::awaitable<std::shared_ptr<const std::string>> next() override { co_return piece_; }

private:
    std::shared_ptr<const std::string> piece_ = std::make_shared<const std::string>(1024 * 1024, 'x');
};

class AdminServerTest : public testing::admin_fixture {
protected:
    void SetUp() override {
        admin_limits limits;
        limits.timeout = std::chrono::milliseconds(2'000);
        limits.connections = 8;
        limits.streams = 4;
        make(limits);
        server->route("GET", "/pieces", [](const admin_request&) {
            admin_response out = text("");
            out.source = std::make_shared<three_pieces>();
            return out;
        });
        server->route("GET", "/endless", [](const admin_request&) {
            admin_response out = text("");
            out.source = std::make_shared<endless_pieces>();
            return out;
        });
        server->route("GET", "/hello", [](const admin_request&) { return text("hello"); });
        server->route("POST", "/echo", [](const admin_request& request) {
            return text(std::string(request.content_type) + "|" + std::string(request.body));
        });
        server->route("GET", "/query", [](const admin_request& request) {
            return text(request.parameter("name").value_or("(none)"));
        });
        server->route("GET", "/api/", [](const admin_request& request) {
            return text(std::string(request.path) + "|" + std::string(request.rest));
        });
        server->route("GET", "/api/later/", answer_later);
        server->route("DELETE", "/api/later/", [](const admin_request&) { return text("gone"); });
        server->route("GET", "/throws", [](const admin_request&) -> admin_response {
            throw std::runtime_error("broken");
        });
        start();
    }
};

TEST_F(AdminServerTest, HandlerAnswersAtItsPath) {
    http_client client(port);
    const auto answer = client.get("/hello");
    EXPECT_EQ(answer.result_int(), 200U);
    EXPECT_EQ(answer.body(), "hello");
    EXPECT_EQ(answer[http::field::content_type], "text/plain");
    EXPECT_EQ(answer[http::field::cache_control], "no-store");
}

TEST_F(AdminServerTest, ConnectionIsKeptForTheNextRequest) {
    http_client client(port);
    for (int i = 0; i < 3; ++i) {
        const auto answer = client.get("/hello");
        EXPECT_TRUE(answer.keep_alive());
        EXPECT_EQ(answer.body(), "hello");
    }
}

TEST_F(AdminServerTest, AnAnswerWithASourceIsWhatTheSourceGives) {
    http_client client(port);
    EXPECT_EQ(client.get("/pieces").body(), "piece 1\npiece 2\npiece 3\n");
}

TEST_F(AdminServerTest, ReadersThatStandStillHoldUpNobodyAndAreBounded) {
    std::vector<std::unique_ptr<http_client>> idle;
    for (int i = 0; i < 4; ++i) {
        idle.push_back(std::make_unique<http_client>(port));
        idle.back()->send(http_client::make(http::verb::get, "/endless"));
    }
    http_client client(port);
    EXPECT_EQ(client.get("/hello").body(), "hello");
    unsigned refused = 0;
    for (int i = 0; i < 100 && refused == 0; ++i) {  // The first four begin to be served meanwhile.
        refused = client.get("/hello").result_int() == 200U && connections() == 5U
                      ? client.get("/pieces").result_int()
                      : 0;
    }
    EXPECT_EQ(refused, 503U);
}

TEST_F(AdminServerTest, PipelinedRequestsAreAnsweredInOrder) {
    http_client client(port);
    client.send_bytes("GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /query?name=b HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(client.receive().body(), "hello");
    EXPECT_EQ(client.receive().body(), "b");
}

TEST_F(AdminServerTest, ClientThatWantsToCloseIsClosed) {
    http_client client(port);
    auto request = http_client::make(http::verb::get, "/hello");
    request.keep_alive(false);
    EXPECT_FALSE(client.exchange(std::move(request)).keep_alive());
    EXPECT_TRUE(client.is_closed());
}

TEST_F(AdminServerTest, BodyAndItsTypeReachTheHandler) {
    http_client client(port);
    auto request = http_client::make(http::verb::post, "/echo", std::string(100'000, 'x'));
    request.set(http::field::content_type, "application/json");
    EXPECT_EQ(client.exchange(std::move(request)).body(), "application/json|" + std::string(100'000, 'x'));
}

TEST_F(AdminServerTest, BodyInChunksReachesTheHandler) {
    http_client client(port);
    client.send_bytes(
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
    EXPECT_EQ(client.receive().body(), "|abc");
}

TEST_F(AdminServerTest, ClientThatAsksBeforeSendingABodyIsToldToContinue) {
    http_client client(port);
    client.send_bytes("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.receive().result_int(), 100U);
    client.send_bytes("abc");
    EXPECT_EQ(client.receive().body(), "|abc");
}

TEST_F(AdminServerTest, QueryIsDecoded) {
    http_client client(port);
    EXPECT_EQ(client.get("/query?a=1&name=commune%3A21231+b").body(), "commune:21231 b");
    EXPECT_EQ(client.get("/query?names=1").body(), "(none)");
    EXPECT_EQ(client.get("/query").body(), "(none)");
    EXPECT_EQ(client.get("/query?name").body(), "");
    EXPECT_EQ(client.get("/query?&&name=x=y&name=z").body(), "x=y");
}

TEST_F(AdminServerTest, LongestPrefixWinsAndTheRestIsPassed) {
    http_client client(port);
    EXPECT_EQ(client.get("/api/events/a%3Ab").body(), "/api/events/a:b|events/a:b");
    EXPECT_EQ(client.get("/api/later/x").body(), "later x");
}

TEST_F(AdminServerTest, HeadIsGetWithoutTheBody) {
    http_client client(port);
    client.send(http_client::make(http::verb::head, "/hello"));
    const auto answer = client.receive(true);
    EXPECT_EQ(answer.result_int(), 200U);
    EXPECT_EQ(answer[http::field::content_length], "5");
    EXPECT_EQ(client.get("/hello").body(), "hello");  // No stray body bytes came before it.
}

TEST_F(AdminServerTest, UnknownPathIs404InJson) {
    http_client client(port);
    const auto answer = client.get("/nowhere");
    EXPECT_EQ(answer.result_int(), 404U);
    EXPECT_EQ(answer[http::field::content_type], "application/json");
    EXPECT_EQ(boost::json::parse(answer.body()).at("error").as_string(), "there is no /nowhere here");
    EXPECT_EQ(client.get("/hello/").result_int(), 404U);
    EXPECT_EQ(client.get("/%FF%0A").body(), "{\"error\":\"there is no /\xEF\xBF\xBD\\n here\"}\n");
}

TEST_F(AdminServerTest, WrongMethodIs405WithTheAllowedOnes) {
    http_client client(port);
    const auto one = client.exchange(http_client::make(http::verb::delete_, "/hello"));
    EXPECT_EQ(one.result_int(), 405U);
    EXPECT_EQ(one[http::field::allow], "GET, HEAD");
    EXPECT_EQ(client.exchange(http_client::make(http::verb::get, "/echo"))[http::field::allow], "POST");
    EXPECT_EQ(
        client.exchange(http_client::make(http::verb::put, "/api/later/x"))[http::field::allow],
        "DELETE, GET, HEAD");
}

TEST_F(AdminServerTest, WebPageMayReadButNotChange) {
    http_client client(port);
    auto change = http_client::make(http::verb::post, "/echo", "x");
    change.set(http::field::origin, "https://evil.example");
    EXPECT_EQ(client.exchange(change).result_int(), 403U);
    auto look = http_client::make(http::verb::get, "/hello");
    look.set(http::field::origin, "https://evil.example");
    EXPECT_EQ(client.exchange(look).result_int(), 200U);
}

TEST_F(AdminServerTest, HandlerThatThrowsIs500AndALineInTheLog) {
    http_client client(port);
    const auto answer = client.get("/throws");
    EXPECT_EQ(answer.result_int(), 500U);
    EXPECT_THAT(answer.body(), ::testing::Not(HasSubstr("broken")));
    EXPECT_THAT(log.events(), Contains("admin.handler_failed"));
    EXPECT_EQ(client.get("/hello").result_int(), 200U);
}

TEST_F(AdminServerTest, TargetThatIsNoPathIs400) {
    http_client client(port);
    client.send_bytes("GET http://elsewhere/hello HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(client.receive().result_int(), 400U);
}

TEST_F(AdminServerTest, BytesThatAreNoHttpAre400AndTheEnd) {
    http_client client(port);
    client.send_bytes("\x16\x03\x01 this is TLS\r\n\r\n");
    const auto answer = client.receive();
    EXPECT_EQ(answer.result_int(), 400U);
    EXPECT_FALSE(answer.keep_alive());
    EXPECT_TRUE(client.is_closed());
}

TEST_F(AdminServerTest, BusyPortIsRefusedWithASentence) {
    admin_server second(loop.get_executor(), log);
    const std::string address = "127.0.0.1:" + std::to_string(port);
    const parsed<> outcome = second.start(address);
    ASSERT_TRUE(outcome.has_error());
    EXPECT_EQ(
        outcome.error().message, "the admin server cannot listen on " + address + ": Address already in use");
}

TEST(AdminServerStartTest, WrongAddressIsRefusedWithASentence) {
    boost::asio::io_context loop;
    null_logger log;
    admin_server server(loop.get_executor(), log);
    const parsed<> malformed = server.start("here");
    ASSERT_TRUE(malformed.has_error());
    EXPECT_THAT(malformed.error().message, HasSubstr("\"here\" is not host:port"));
    const parsed<> foreign = server.start("192.0.2.1:1");
    ASSERT_TRUE(foreign.has_error());
    EXPECT_THAT(foreign.error().message, HasSubstr("cannot listen on 192.0.2.1:1: "));
}

TEST(AdminServerStartTest, AddressShowsThePortThatWasChosen) {
    boost::asio::io_context loop;
    null_logger log;
    admin_server server(loop.get_executor(), log);
    EXPECT_EQ(server.address(), "");
    ASSERT_TRUE(server.start("localhost:0").has_value());
    EXPECT_NE(server.port(), 0);
    EXPECT_THAT(server.address(), ::testing::EndsWith(":" + std::to_string(server.port())));
}

TEST(AdminServerStartTest, ServerThatNeverRanLeavesNothingBehind) {
    null_logger log;
    boost::asio::io_context loop;
    {
        admin_server server(loop.get_executor(), log);
        ASSERT_TRUE(server.start("127.0.0.1:0").has_value());
    }
    loop.run_for(std::chrono::seconds(5));
    EXPECT_TRUE(loop.stopped());  // Out of work: nothing waits any more.
}

class AdminRoutesTest : public testing::admin_fixture {
protected:
    void SetUp() override {
        make();
        add_standard_routes(*server, checks, numbers);
        start();
    }

    testing::manual_time time;
    health checks{time};
    metrics numbers;
};

TEST_F(AdminRoutesTest, ReadinessFollowsItsChecks) {
    health_flag& redis = checks.add_flag("redis", "not connected yet");
    http_client client(port);
    const auto before = client.get("/readyz");
    EXPECT_EQ(before.result_int(), 503U);
    EXPECT_EQ(
        before.body(),
        R"({"ready":false,"checks":[{"name":"redis","ok":false,"problem":"not connected yet"}]})"
        "\n");
    redis.fulfilled();
    const auto after = client.get("/readyz");
    EXPECT_EQ(after.result_int(), 200U);
    EXPECT_EQ(after.body(), "{\"ready\":true,\"checks\":[{\"name\":\"redis\",\"ok\":true}]}\n");
}

TEST_F(AdminRoutesTest, LivenessFollowsTheLoops) {
    http_client client(port);
    EXPECT_EQ(client.get("/livez").result_int(), 200U);
    // A loop whose last beat was at the beginning of time.
    checks.add_loop("thread 0").beat(time_point());
    const auto answer = client.get("/livez");
    EXPECT_EQ(answer.result_int(), 503U);
    EXPECT_THAT(answer.body(), HasSubstr(R"("live":false)"));
}

TEST_F(AdminRoutesTest, MetricsAreInThePrometheusFormat) {
    numbers.add_shard().counter(metric::events_total, {"finished"}).add(3);
    http_client client(port);
    const auto answer = client.get("/metrics");
    EXPECT_EQ(answer[http::field::content_type], "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_THAT(answer.body(), HasSubstr("tocsin_events_total{outcome=\"finished\"} 3\n"));
}

}  // namespace
}  // namespace tocsin
