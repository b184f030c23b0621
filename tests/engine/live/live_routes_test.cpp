#include "engine/live/live_routes.hpp"

#include "tests/engine/ops/admin_fixture.hpp"
#include "tests/support/redis_fixture.hpp"

#include <boost/asio/detached.hpp>
#include <boost/json/parse.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;
using namespace std::chrono_literals;
using testing::http_client;

/// What the routes answer, over HTTP, with a view and a Redis behind them.
class LiveRoutesTest : public testing::redis_fixture {
protected:
    LiveRoutesTest() {
        redis::request add;
        add.add("ZADD", keys.running(), 1, "crue");
        add.add(
            "HSET", keys.ledger("crue"), "event",
            R"({"audience":["commune:21231"],"notification":{"title":"Crue"}})", "targets", "mairies/fcm",
            "state", "running", "targeted", "10", "o:mairies/fcm:accepted", "10", "c:21231", "10");
        EXPECT_FALSE(run(redis.execute(std::move(add))).value().first_error());

        live_sources sources;
        sources.health = [] { return json::object{{"ready", true}, {"checks", json::array()}}; };
        sources.lanes = [] { return json::array(); };
        view.emplace(loop.get_executor(), redis, keys, places, time, log, "one", std::move(sources));
        asio::co_spawn(loop, view->run(), asio::detached);
        add_live_routes(admin, *view);
        EXPECT_FALSE(admin.start("127.0.0.1:0").has_error());
        loop.restart();
        thread = std::jthread([this] { loop.run(); });
    }
    ~LiveRoutesTest() override {
        end_view();
        asio::co_spawn(loop, admin.stop(clock::now() + 5s), asio::use_future).wait();
        asio::post(loop, [this] { redis.close(); });
        work.reset();
        thread.join();
    }
    /// As at the end of the engine.
    void end_view() {
        asio::post(loop, asio::use_future([this] { view->stop(); })).wait();
    }

    http_client::response get(std::string_view target) { return http_client(admin.port()).get(target); }
    json::object document(std::string_view target) { return json::parse(get(target).body()).as_object(); }

    territories places =
        territories::parse("insee,name,population,department,epci\n21231,Dijon,100,21,\n", "").value();
    std::optional<live_view> view;
    admin_server admin{loop.get_executor(), log};
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{loop.get_executor()};
    std::jthread thread;
};

TEST_F(LiveRoutesTest, EachDocumentIsAtItsPath) {
    EXPECT_EQ(document("/api/v1/status").at("instance"), "one");
    EXPECT_TRUE(document("/api/v1/events").contains("events"));
    EXPECT_FALSE(document("/api/v1/events").contains("instance"));
    EXPECT_EQ(document("/api/v1/events/crue").at("event"), "crue");
}

TEST_F(LiveRoutesTest, AnEventComesWithItsCommunesUnlessTheyAreNotWanted) {
    EXPECT_TRUE(document("/api/v1/events/crue").contains("communes"));
    EXPECT_TRUE(document("/api/v1/events/crue?communes=1").contains("communes"));
    EXPECT_FALSE(document("/api/v1/events/crue?communes=0").contains("communes"));
}

TEST_F(LiveRoutesTest, AnEventThatNobodyKnowsIs404WithItsName) {
    const auto answer = get("/api/v1/events/inondation");
    EXPECT_EQ(answer.result_int(), 404U);
    EXPECT_NE(answer.body().find("inondation"), std::string::npos);
}

TEST_F(LiveRoutesTest, AnIdThatNoEventCanHaveIsNotFollowed) {
    EXPECT_EQ(get("/api/v1/stream?event=" + std::string(129, 'x')).result_int(), 400U);
}

TEST_F(LiveRoutesTest, WithTheViewAllThatWaitsEnds) {
    end_view();
    EXPECT_EQ(get("/api/v1/status").result_int(), 503U);
    const auto stream = get("/api/v1/stream?event=" + std::string(128, 'x'));
    EXPECT_EQ(stream.result_int(), 200U);
    EXPECT_EQ(stream[http::field::content_type], "text/event-stream; charset=utf-8");
    EXPECT_EQ(stream.body(), "");
}

}  // namespace
}  // namespace tocsin
