#include "engine/ops/admin_dispatch.hpp"

#include "tests/engine/ops/admin_fixture.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using testing::http_client;
namespace http = boost::beast::http;

class AdminDispatchTest : public ::testing::Test {
protected:
    AdminDispatchTest() {
        const auto remember = [this](const admin_request& request) -> awaitable<admin_response> {
            seen_method = request.method;
            seen_path = request.path;
            seen_rest = request.rest;
            seen_query = request.query;
            admin_response out;
            out.body = "done";
            co_return out;
        };
        subject.routes.add("GET", "/events/", remember);
        subject.routes.add("POST", "/events/", remember);
        subject.routes.add("GET", "/livez", remember, admin_share::health);
    }
    admin_dispatch::answered answer(const admin_http_request& message, bool crowded = false) {
        return testing::run_to_end(loop, subject.answer(message, crowded));
    }
    unsigned status(const admin_http_request& message, bool crowded = false) {
        return answer(message, crowded).response.status;
    }
    static admin_http_request to(std::string_view target, http::verb method = http::verb::get) {
        return http_client::make(method, target);
    }
    /// What becomes of a request whose handler does that.
    unsigned status_of(admin_handler handler) {
        subject.routes.add("GET", "/it", std::move(handler));
        return status(to("/it"));
    }

    boost::asio::io_context loop{1};
    testing::recording_logger log;
    admin_dispatch subject{log, 10s};
    std::string seen_method;
    std::string seen_path;
    std::string seen_rest;
    std::string seen_query;
};

TEST_F(AdminDispatchTest, AHandlerSeesThePathDecodedAndTheQueryAsItWasSent) {
    EXPECT_EQ(status(to("/events/a%20b?x=%20&y")), 200U);
    EXPECT_EQ(seen_method, "GET");
    EXPECT_EQ(seen_path, "/events/a b");
    EXPECT_EQ(seen_rest, "a b");
    EXPECT_EQ(seen_query, "x=%20&y");
    EXPECT_EQ(status(to("/events/x", http::verb::head)), 200U);
    EXPECT_EQ(seen_method, "GET") << "whose answer's head is asked for";
}

TEST_F(AdminDispatchTest, WhatIsNotThereAndWhatIsNotTakenAreToldApart) {
    EXPECT_EQ(status(to("/nothing")), 404U);
    const auto refused = answer(to("/livez", http::verb::post));
    EXPECT_EQ(refused.response.status, 405U);
    EXPECT_EQ(refused.allowed, "GET, HEAD");
    EXPECT_EQ(answer(to("/livez")).allowed, "");
    for (const char* const target : {"*", "http://localhost/livez", "localhost:80", "/%zz"}) {
        EXPECT_EQ(status(to(target)), 400U) << target;
    }
}

TEST_F(AdminDispatchTest, OneOfOurNamesIsAskedForOnce) {
    auto message = to("/livez");
    message.set(http::field::host, "evil.example");
    EXPECT_EQ(status(message), 421U);
    subject.hosts.add("evil.example");
    EXPECT_EQ(status(message), 200U);
    message.insert(http::field::host, "localhost");
    EXPECT_EQ(status(message), 400U);
    message.erase(http::field::host);
    EXPECT_EQ(status(message), 400U);
    message.version(10);
    EXPECT_EQ(status(message), 200U) << "HTTP/1.0 has none";
}

TEST_F(AdminDispatchTest, ForANameThatIsNotOursNothingElseIsLookedAt) {
    auto message = to("/nothing");
    message.set(http::field::host, "evil.example");
    EXPECT_EQ(status(message), 421U);
}

TEST_F(AdminDispatchTest, AWebPageMayReadAndNotChange) {
    for (const auto& [method, expected] :
         {std::pair(http::verb::get, 200U), std::pair(http::verb::head, 200U),
          std::pair(http::verb::post, 403U)}) {
        auto message = to("/events/a", method);
        EXPECT_EQ(status(message), 200U);
        message.set(http::field::origin, "http://localhost");
        EXPECT_EQ(status(message), expected);
    }
}

TEST_F(AdminDispatchTest, WhereItIsCrowdedOnlyHealthIsAnswered) {
    EXPECT_EQ(status(to("/events/a"), true), 503U);
    EXPECT_EQ(seen_path, "") << "its handler was not asked";
    EXPECT_EQ(status(to("/livez"), true), 200U);
    EXPECT_EQ(status(to("/nothing"), true), 404U);
}

TEST_F(AdminDispatchTest, AHandlerThatThrowsIsALineInTheLog) {
    EXPECT_EQ(
        status_of([](const admin_request&) -> awaitable<admin_response> { throw std::runtime_error("x"); }),
        500U);
    EXPECT_EQ(log.events(), std::vector<std::string>{"admin.handler_failed"});
}

TEST_F(AdminDispatchTest, AHandlerThatThrowsBeforeItBeginsIsOneToo) {
    EXPECT_EQ(
        status_of([](const admin_request&) -> awaitable<admin_response> {
            throw boost::system::system_error(boost::asio::error::connection_reset);
            co_return admin_response();
        }),
        500U);
    EXPECT_EQ(log.events(), std::vector<std::string>{"admin.handler_failed"});
}

TEST_F(AdminDispatchTest, AHandlerThatIsCutOffIsNoMistake) {
    EXPECT_EQ(
        status_of([](const admin_request&) -> awaitable<admin_response> {
            throw boost::system::system_error(boost::asio::error::operation_aborted);
            co_return admin_response();
        }),
        503U)
        << "the engine is shutting down";
    EXPECT_TRUE(log.events().empty());
}

TEST_F(AdminDispatchTest, AHandlerThatTakesTooLongIsCutOff) {
    admin_dispatch hasty(log, 20ms);
    bool unwound = false;
    hasty.routes.add("GET", "/it", [&unwound](const admin_request&) -> awaitable<admin_response> {
        boost::asio::steady_timer never(
            co_await boost::asio::this_coro::executor, boost::asio::steady_timer::time_point::max());
        try {
            co_await never.async_wait(boost::asio::use_awaitable);
        } catch (const boost::system::system_error&) {
            unwound = true;
            throw;
        }
        co_return admin_response();
    });
    const auto message = to("/it");
    EXPECT_EQ(testing::run_to_end(loop, hasty.answer(message, false)).response.status, 504U);
    EXPECT_TRUE(unwound);
    EXPECT_TRUE(log.events().empty());
}

}  // namespace
}  // namespace tocsin
