#include "providers/auth/oauth_token_source.hpp"

#include "engine/core/text.hpp"
#include "tests/providers/auth/token_server.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>

#include <gtest/gtest.h>

namespace tocsin::auth {
namespace {

using namespace std::chrono_literals;
using testing::token_server;

/// The clocks of this computer, the time of day wrong by `step`.
class stepped_time final : public time_source {
public:
    [[nodiscard]] time_point now() const noexcept override { return real.now(); }
    [[nodiscard]] wall_time wall_now() const noexcept override { return real.wall_now() + step; }
    system_time_source real;
    std::chrono::milliseconds step{0};
};

/// Counts what differs.
class clock_log final : public logger {
public:
    [[nodiscard]] bool enabled(log_level) const noexcept override { return true; }
    void write(log_level, std::string_view event, std::span<const log_field>) noexcept override {
        told += event == "clock.differs" ? 1 : 0;
    }
    int told = 0;
};

class OauthTokenSourceTest : public ::testing::Test {
protected:
    void TearDown() override {
        source.reset();
        server.close();
        loop.run_for(5s);  // What was stopped unwinds.
        std::filesystem::remove(ca_file);
    }

    [[nodiscard]] service_account account(const std::string& token_uri) const {
        const boost::json::object file{
            {"type", "service_account"},
            {"project_id", "mairies"},
            {"private_key_id", "abc123"},
            {"private_key", key.pem()},
            {"client_email", "push@mairies.iam.gserviceaccount.com"},
            {"token_uri", token_uri}};
        return parse_service_account(boost::json::serialize(file)).value();
    }

    oauth_token_source& make(bool trusted = true) {
        net::tls_options options;
        options.alpn = "http/1.1";
        if (trusted) {
            std::ofstream(ca_file) << server.certificate();
            options.ca_file = ca_file;
        }
        source.emplace(
            loop.get_executor(), account(server.url()), net::tls_context::create(options).value(), time, log,
            1);
        return *source;
    }

    /// Runs the loop until `done`, and fails the test rather than hang.
    void run_until(const std::function<bool()>& done) {
        const auto deadline = clock::now() + 10s;
        while (!done() && clock::now() < deadline) {
            loop.run_one_for(100ms);
        }
        ASSERT_TRUE(done());
    }

    [[nodiscard]] std::string serving() const {
        const auto token = source->slot().load();
        return token != nullptr ? token->authorization : std::string();
    }

    static const testing::test_key& shared_key() {
        static const auto made = testing::test_key::rsa(2048);  // Takes a third of a second.
        return made;
    }

    const testing::test_key& key = shared_key();
    std::string ca_file = ::testing::TempDir() + "oauth_ca_" + std::to_string(::getpid()) + ".pem";
    boost::asio::io_context loop{1};
    token_server server{loop};
    stepped_time time;
    clock_log log;
    std::optional<oauth_token_source> source;
};

TEST_F(OauthTokenSourceTest, TradesAnAssertionForAToken) {
    server.script(token_server::grant("ya29.first", 3600));
    make().start();
    run_until([this] { return !serving().empty(); });
    EXPECT_EQ(serving(), "Bearer ya29.first");
    ASSERT_EQ(server.requests().size(), 1U);
    const auto& request = server.requests()[0];
    EXPECT_EQ(request.target, "/token");
    EXPECT_EQ(request.host, "localhost:" + std::to_string(server.port()));
    EXPECT_EQ(request.content_type, "application/x-www-form-urlencoded");

    const std::string start = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    ASSERT_TRUE(request.body.starts_with(start));
    const std::string jwt = request.body.substr(start.size());
    const auto last = jwt.rfind('.');
    EXPECT_TRUE(key.verifies(jwt.substr(0, last), from_base64url(jwt.substr(last + 1)).value()));
    const auto claims =
        boost::json::parse(from_base64url(jwt.substr(jwt.find('.') + 1, last - jwt.find('.') - 1)).value());
    EXPECT_EQ(claims.at("aud"), boost::json::value(server.url()));
    EXPECT_EQ(claims.at("scope"), boost::json::value("https://www.googleapis.com/auth/firebase.messaging"));

    const auto state = source->state();
    EXPECT_TRUE(state.usable);
    EXPECT_EQ(*state.expires_at - *state.issued_at, 1h);
}

TEST_F(OauthTokenSourceTest, ClockThatWasSetIsReasonEnoughToAskAgain) {
    server.script({400, R"({"error":"invalid_grant"})", ""});
    server.script(token_server::grant("ya29.first", 3600));
    server.script(token_server::grant("ya29.second", 3600));
    make().start();
    run_until([this] { return server.requests().size() == 1 && !source->state().problem.empty(); });
    for (const auto& [step, expected] :
         {std::pair(-2h, "Bearer ya29.first"), std::pair(2h, "Bearer ya29.second")}) {
        time.step += step;
        bool gap = false;
        const bool served = !serving().empty();
        run_until([&, expected = expected] {
            gap = gap || (served && serving().empty());
            return serving() == expected;
        });
        EXPECT_FALSE(gap);
        // What was asked for is signed by the clock as it is, with some seconds of room.
        const std::string body = server.requests().back().body;
        const std::string jwt = body.substr(body.find("assertion=") + 10);
        const auto claims = boost::json::parse(
            from_base64url(jwt.substr(jwt.find('.') + 1, jwt.rfind('.') - jwt.find('.') - 1)).value());
        const auto now = std::chrono::duration_cast<std::chrono::seconds>(time.wall_now().time_since_epoch());
        EXPECT_LE(claims.at("iat").as_int64(), now.count() - 5);
        EXPECT_GE(claims.at("iat").as_int64(), now.count() - 60);
        EXPECT_EQ(claims.at("exp").as_int64() - claims.at("iat").as_int64(), 3600);
    }
}

TEST_F(OauthTokenSourceTest, AClockThatIsNotTheEndpointsIsToldOnceUntilItIsRight) {
    server.script(token_server::grant("ya29.first", 3600));
    server.tell_time();
    make().start();
    std::size_t asked = 0;
    const auto ask_again = [&](std::chrono::seconds ahead) {
        time.step = ahead;
        run_until([&] { return server.requests().size() > asked && !serving().empty(); });
        asked = server.requests().size();
        run_until([&, before = clock::now()] { return clock::now() - before > 200ms; });
        return log.told;
    };
    EXPECT_EQ(ask_again(0s), 0);
    EXPECT_EQ(ask_again(2h), 1);
    EXPECT_EQ(ask_again(-2h), 1) << "said already";
    EXPECT_EQ(ask_again(0s), 1);
    EXPECT_EQ(ask_again(-20s), 2);
}

TEST_F(OauthTokenSourceTest, ARefusalSaysHowFarTheClockIsFromTheEndpoints) {
    server.script({400, R"({"error":"invalid_grant"})", ""});
    server.tell_time();
    time.step = 1h;
    make().start();
    run_until(
        [&] { return source->state().problem.find("ahead of that of the endpoint") != std::string::npos; });
    EXPECT_EQ(log.told, 1);
}

TEST_F(OauthTokenSourceTest, TellsItsReadersUntilTheyLeave) {
    server.script(token_server::grant("ya29.x", 1));
    int told = 0;
    int told_who_left = 0;
    auto stays = make().subscribe(loop.get_executor(), [&] { ++told; });
    std::optional<oauth_token_source::subscription> leaves =
        source->subscribe(loop.get_executor(), [&] { ++told_who_left; });
    run_until([&] { return told == 1; });
    leaves.reset();
    const int before = told_who_left;
    run_until([&] { return told == 2; });
    EXPECT_EQ(told_who_left, before);
}

TEST_F(OauthTokenSourceTest, RenewsBeforeTheTokenDies) {
    server.script(token_server::grant("ya29.first", 2));
    server.script(token_server::grant("ya29.second", 3600));
    make().start();
    run_until([this] { return serving() == "Bearer ya29.first"; });
    bool gap = false;
    run_until([&] {
        gap = gap || serving().empty();
        return serving() == "Bearer ya29.second";
    });
    EXPECT_FALSE(gap);
}

TEST_F(OauthTokenSourceTest, ServesTheOldTokenUntilItDiesWhileTheEndpointFails) {
    server.script(token_server::grant("ya29.first", 2));
    server.script({503, "<html>", ""});
    make().start();
    run_until([this] { return serving() == "Bearer ya29.first"; });
    const auto born = clock::now();
    run_until([this] { return server.requests().size() > 1; });
    EXPECT_EQ(serving(), "Bearer ya29.first");
    EXPECT_TRUE(source->state().usable);
    run_until([this] { return serving().empty(); });
    EXPECT_GE(clock::now() - born, 1500ms);
    EXPECT_FALSE(source->state().usable);
    EXPECT_NE(source->state().problem.find("503"), std::string::npos);
}

TEST_F(OauthTokenSourceTest, TriesAgainAfterATrouble) {
    server.script({500, "", ""});
    server.script(token_server::grant("ya29.x", 3600));
    make().start();
    run_until([this] { return !serving().empty(); });
    EXPECT_EQ(server.requests().size(), 2U);
    EXPECT_TRUE(source->state().usable);
}

TEST_F(OauthTokenSourceTest, ARefusedAccountIsTold) {
    server.script({400, R"({"error":"invalid_grant","error_description":"account not found"})", ""});
    make().start();
    EXPECT_FALSE(source->state().usable);
    run_until([this] { return source->state().problem.find("invalid_grant") != std::string::npos; });
    EXPECT_FALSE(source->state().usable);
    EXPECT_NE(source->state().problem.find("account not found"), std::string::npos);
    EXPECT_TRUE(serving().empty());
}

TEST_F(OauthTokenSourceTest, AServerThatIsNotTrustedGetsNoAssertion) {
    server.script(token_server::grant("ya29.x", 3600));
    make(false).start();
    run_until([this] { return source->state().problem.find("cannot be reached") != std::string::npos; });
    EXPECT_TRUE(server.requests().empty());
    EXPECT_NE(source->state().problem.find("certificate"), std::string::npos) << source->state().problem;
}

TEST_F(OauthTokenSourceTest, ARejectedTokenIsWithdrawnAndReplacedOnce) {
    server.script(token_server::grant("ya29.first", 3600));
    server.script(token_server::grant("ya29.second", 3600));
    make().start();
    run_until([this] { return serving() == "Bearer ya29.first"; });
    const auto written = time.now() + 2min;
    const auto answered = written + 1s;
    EXPECT_EQ(source->refresh_after_rejection(written, answered), renewal::renewed);
    EXPECT_TRUE(serving().empty());
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(source->refresh_after_rejection(written, answered), renewal::not_needed);
    }
    run_until([this] { return serving() == "Bearer ya29.second"; });
    EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(OauthTokenSourceTest, ATokenThatIsRejectedAtOnceIsReplacedOnceAndNotForEver) {
    server.script(token_server::grant("ya29.first", 3600));
    server.script(token_server::grant("ya29.second", 3600));
    make().start();
    run_until([this] { return serving() == "Bearer ya29.first"; });
    const auto now = time.now();
    EXPECT_EQ(source->refresh_after_rejection(now, now), renewal::renewed);
    run_until([this] { return serving() == "Bearer ya29.second"; });
    // It may have been the first one that this request carried.
    EXPECT_EQ(source->refresh_after_rejection(now, now), renewal::not_needed);
    EXPECT_EQ(source->refresh_after_rejection(now + 10s, now + 11s), renewal::too_young);
    EXPECT_EQ(serving(), "Bearer ya29.second");
    EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(OauthTokenSourceTest, AsksNothingBeforeSomebodyWantsIt) {
    make();
    loop.run_for(50ms);
    EXPECT_TRUE(server.requests().empty());
    EXPECT_TRUE(source->state().usable);
}

TEST_F(OauthTokenSourceTest, StopsInTheMiddleOfAnExchange) {
    make().start();
    loop.poll_one();
    loop.poll_one();
    source.reset();
    server.close();
    loop.run_for(5s);
    EXPECT_TRUE(loop.stopped());  // Nothing is left to do.
}

}  // namespace
}  // namespace tocsin::auth
