#include "tests/engine/redis/client_fixture.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>

namespace tocsin::redis {
namespace {

using testing::redis_server;
using testing::redis_server_options;

class RedisClient : public redis_client_test {
protected:
    static redis_server_options over_tcp() {
        redis_server_options options;
        options.tcp = true;
        return options;
    }
    static std::string with_user(const redis_server& server, const std::string& user_info) {
        return "redis://" + user_info + "@127.0.0.1:" + std::to_string(server.port());
    }
};

TEST_F(RedisClient, SpeaksOverAUnixSocket) {
    const redis_server server;
    const auto redis = connect(server.url());
    EXPECT_FALSE(redis->connected());
    EXPECT_EQ(text(*redis, command("SET", "k", "v")), "OK");
    EXPECT_TRUE(redis->connected());
    EXPECT_EQ(server.cli({"GET", "k"}), "v");
}

TEST_F(RedisClient, SpeaksOverTcpToAnAddressAndToAName) {
    const redis_server server(over_tcp());
    const auto redis = connect(server.url());
    EXPECT_EQ(text(*redis, command("PING")), "PONG");
    const auto named = connect("redis://localhost:" + std::to_string(server.port()));
    EXPECT_EQ(text(*named, command("PING")), "PONG");
}

TEST_F(RedisClient, AnswersAThousandConcurrentRequestsInOrder) {
    const redis_server server;
    const auto redis = connect(server.url());
    constexpr int requests = 1000;
    std::vector<call_ptr> calls;
    for (int i = 0; i < requests; ++i) {
        request two;
        two.add("INCR", "counter").add("ECHO", i);
        calls.push_back(start(*redis, std::move(two)));
    }
    for (int i = 0; i < requests; ++i) {
        const auto got = wait(calls[static_cast<std::size_t>(i)]);
        ASSERT_TRUE(got.has_value());
        ASSERT_EQ(got->size(), 2U);
        EXPECT_EQ((*got)[0].integer(), i + 1);
        EXPECT_EQ((*got)[1].integer(), i);
    }
}

TEST_F(RedisClient, AnEmptyRequestHasNoReplies) {
    const redis_server server;
    const auto redis = connect(server.url());
    EXPECT_EQ(ask(*redis, request()).value().size(), 0U);
}

TEST_F(RedisClient, AnErrorReplyIsAReply) {
    const redis_server server;
    const auto redis = connect(server.url());
    request three;
    three.add("SET", "k", "v").add("HGET", "k", "f").add("GET", "k");
    const auto got = ask(*redis, std::move(three)).value();
    EXPECT_EQ(got[0].text(), "OK");
    EXPECT_TRUE(got[1].text().starts_with("WRONGTYPE"));
    EXPECT_EQ(got[2].text(), "v");
}

TEST_F(RedisClient, KeepsAnyByte) {
    const redis_server server;
    const auto redis = connect(server.url());
    std::string raw;
    for (int i = 0; i < 256; ++i) {
        raw += static_cast<char>(i);
    }
    EXPECT_EQ(text(*redis, command("SET", raw, raw + "\r\n")), "OK");
    EXPECT_EQ(text(*redis, command("GET", raw)), raw + "\r\n");
}

TEST_F(RedisClient, CarriesLargeRequestsAndReplies) {
    const redis_server server;
    const auto redis = connect(server.url());
    const std::string big(std::size_t{5} * 1024 * 1024, 'x');
    EXPECT_EQ(text(*redis, command("SET", "big", big)), "OK");
    EXPECT_EQ(text(*redis, command("GET", "big")), big);
}

TEST_F(RedisClient, CarriesLongAndNestedArrays) {
    const redis_server server;
    const auto redis = connect(server.url());
    const auto longest =
        ask(*redis, command("EVAL", "local t = {} for i = 1, 100000 do t[i] = i end return t", 0));
    ASSERT_EQ(longest->front().size(), 100'000U);
    EXPECT_EQ(longest->front()[99'999].integer(), 100'000);
    const auto nested = ask(*redis, command("EVAL", "return {1, {2, {'three', false}}, {}}", 0));
    EXPECT_EQ(nested->front()[1][1][0].text(), "three");
    EXPECT_TRUE(nested->front()[1][1][1].is_nil());
    EXPECT_EQ(nested->front()[2].size(), 0U);
}

TEST_F(RedisClient, EntersTheDatabaseOfTheUrl) {
    const redis_server server;
    const auto redis = connect(server.socket_url() + "?db=7");
    EXPECT_EQ(text(*redis, command("SET", "k", "seven")), "OK");
    EXPECT_NE(server.cli({"INFO", "keyspace"}).find("db7:keys=1"), std::string::npos);
}

TEST_F(RedisClient, ADatabaseThatIsNotThereIsRefused) {
    const redis_server server;
    const auto redis = connect(server.socket_url() + "?db=99");
    EXPECT_EQ(ask(*redis, command("PING")).error(), redis_errc::refused);
    EXPECT_FALSE(redis->connected());
    EXPECT_NE(log.details.find("out of range"), std::string::npos) << log.details;
}

TEST_F(RedisClient, EntersWithAPasswordAlone) {
    redis_server_options options = over_tcp();
    options.password = "sesame";
    const redis_server server(options);
    const auto redis = connect(server.url());
    EXPECT_EQ(text(*redis, command("PING")), "PONG");
}

TEST_F(RedisClient, EntersWithUserAndPassword) {
    redis_server_options options = over_tcp();
    options.users = {"alice on >p/w ~* &* +@all"};
    const redis_server server(options);
    const auto redis = connect(with_user(server, "alice:p%2Fw"));
    EXPECT_EQ(text(*redis, command("ACL", "WHOAMI")), "alice");
}

TEST_F(RedisClient, AUserWithoutPingOrClientStillEnters) {
    redis_server_options options = over_tcp();
    options.users = {"bob on >pw ~* +get"};
    const redis_server server(options);
    const auto redis = connect(with_user(server, "bob:pw"));
    EXPECT_TRUE(ask(*redis, command("GET", "k")).value().front().is_nil());
}

TEST_F(RedisClient, AWrongOrMissingPasswordIsRefusedAtOnceAndNotLogged) {
    redis_server_options options = over_tcp();
    options.password = "sesame";
    const redis_server server(options);
    for (const char* user_info : {":wrong-secret", "default:wrong-secret", "nobody:wrong-secret"}) {
        const auto redis = connect(with_user(server, user_info));
        EXPECT_EQ(ask(*redis, command("PING")).error(), redis_errc::refused) << user_info;
        EXPECT_GE(redis->errors(), 1U);
    }
    const auto nameless = connect("redis://127.0.0.1:" + std::to_string(server.port()));
    EXPECT_EQ(ask(*nameless, command("PING")).error(), redis_errc::refused);
    EXPECT_NE(log.details.find("WRONGPASS"), std::string::npos);
    EXPECT_NE(log.details.find("NOAUTH"), std::string::npos);
    EXPECT_EQ(log.details.find("wrong-secret"), std::string::npos);
}

TEST_F(RedisClient, RunsScripts) {
    const redis_server server;
    const auto redis = connect(server.url());
    const script sum("sum", "return redis.call('INCRBY', KEYS[1], ARGV[1])");
    const std::vector<std::string> keys{"k"};
    const std::vector<std::string> five{"5"};
    request pipeline;
    pipeline.add("SET", "k", 1).add_script(sum, keys, five).add_script(sum, keys, five).add("GET", "k");
    const auto got = ask(*redis, std::move(pipeline)).value();
    ASSERT_EQ(got.size(), 4U);
    EXPECT_EQ(got[1].integer(), 6);
    EXPECT_EQ(got[2].integer(), 11);
    EXPECT_EQ(got[3].integer(), 11);
}

TEST_F(RedisClient, AScriptThatRedisForgotRunsAllTheSame) {
    const redis_server server;
    const auto redis = connect(server.url());
    const script one("one", "return redis.call('INCR', 'runs')");
    const script two("two", "return {ARGV[1], 'two'}");
    const std::vector<std::string> arguments{"x"};
    request before;
    before.add_script(one, {}, {}).add_script(two, {}, arguments);
    EXPECT_EQ(ask(*redis, std::move(before)).value()[0].integer(), 1);
    server.cli({"SCRIPT", "FLUSH"});

    request after;
    after.add_script(one, {}, {})
        .add("ECHO", "between")
        .add_script(two, {}, arguments)
        .add_script(one, {}, {});
    const auto got = ask(*redis, std::move(after)).value();
    ASSERT_EQ(got.size(), 4U);
    EXPECT_EQ(got[0].integer(), 2);
    EXPECT_EQ(got[1].text(), "between");
    EXPECT_EQ(got[2][0].text(), "x");
    EXPECT_EQ(got[3].integer(), 3);
    EXPECT_EQ(server.cli({"GET", "runs"}), "3");
}

TEST_F(RedisClient, AScriptThatDoesNotCompileSaysSo) {
    const redis_server server;
    const auto redis = connect(server.url());
    const script broken("broken", "return (");
    request eval;
    eval.add_script(broken, {}, {});
    const auto got = ask(*redis, std::move(eval)).value();
    ASSERT_TRUE(got.front().is_error());
    EXPECT_NE(got.front().text().find("compil"), std::string_view::npos) << got.front().text();
}

TEST_F(RedisClient, RefusesMoreThanMayWait) {
    const redis_server server;
    client_options options;
    options.max_queued_bytes = 1000;
    const auto redis = connect(server.url(), options);
    const auto fits = start(*redis, command("ECHO", std::string(800, 'x')));
    const auto too_much = start(*redis, command("ECHO", std::string(800, 'y')));
    EXPECT_EQ(wait(too_much).error(), redis_errc::overloaded);
    EXPECT_TRUE(wait(fits).has_value());
    EXPECT_TRUE(ask(*redis, command("ECHO", std::string(800, 'z'))).has_value());
}

TEST_F(RedisClient, ClosingFailsWhatWaitsAndWhatComesAfter) {
    const redis_server server;
    const auto redis = connect(server.url());
    const auto unwritten = start(*redis, command("PING"));
    ASSERT_GT(loop.poll_one(), 0U);  // It has joined the queue; nothing is connected yet.
    redis->close();
    redis->close();
    EXPECT_EQ(wait(unwritten).error(), redis_errc::closed);
    EXPECT_EQ(ask(*redis, command("PING")).error(), redis_errc::closed);
    EXPECT_FALSE(redis->connected());
}

TEST_F(RedisClient, ClosingLosesWhatWasWritten) {
    const redis_server server;
    const auto redis = connect(server.url());
    EXPECT_EQ(text(*redis, command("PING")), "PONG");
    const auto written = start(*redis, command("BLPOP", "nothing", 0));
    run_until_blocked(server);
    redis->close();
    EXPECT_EQ(wait(written).error(), redis_errc::connection_lost);
}

TEST_F(RedisClient, TheLoopEndsOnceTheClientIsClosed) {
    const redis_server server;
    const auto redis = connect(server.url());
    EXPECT_EQ(text(*redis, command("PING")), "PONG");
    redis->close();
    loop.restart();
    loop.run_for(std::chrono::seconds(10));
    EXPECT_TRUE(loop.stopped());
}

TEST_F(RedisClient, MayBeDestroyedWhileRequestsWait) {
    const redis_server server;
    auto redis = connect(server.url());
    const auto never_started = start(*redis, command("PING"));
    redis.reset();
    EXPECT_EQ(wait(never_started).error(), redis_errc::closed);

    redis = connect(server.url());
    const auto blocked = start(*redis, command("BLPOP", "nothing", 0));
    ASSERT_TRUE(run_until([&] { return redis->connected(); }));
    redis.reset();
    EXPECT_TRUE(wait(blocked).has_error());
}

TEST_F(RedisClient, TheLoopMayGoFirst) {
    const redis_server server;
    boost::asio::io_context brief;
    client redis(brief.get_executor(), parse_address(server.url()).value(), time, log);
    auto waiting = [&redis]() -> boost::asio::awaitable<void> {
        request forever;
        forever.add("BLPOP", "nothing", 0);
        (void)co_await redis.execute(std::move(forever));
    };
    boost::asio::co_spawn(brief, waiting(), [](const std::exception_ptr&) {});
    while (!redis.connected() && brief.run_one_for(std::chrono::seconds(10)) != 0) {
    }
    EXPECT_TRUE(redis.connected());
    redis.close();
    // `brief` is destroyed with the coroutines suspended; the sanitizers watch.
}

TEST_F(RedisClient, ACancelledRequestLeavesTheOrderOfTheOthersAlone) {
    const redis_server server;
    const auto redis = connect(server.url());
    EXPECT_EQ(text(*redis, command("PING")), "PONG");
    const auto first = start(*redis, command("BLPOP", "list", 0));
    const auto second = start(*redis, command("ECHO", "second"));
    run_until_blocked(server);
    first->cancel.emit(boost::asio::cancellation_type::terminal);
    EXPECT_EQ(wait(first).error(), boost::asio::error::operation_aborted);
    EXPECT_FALSE(second->answer.has_value());
    server.cli({"RPUSH", "list", "late"});
    EXPECT_EQ(wait(second).value().front().text(), "second");
    EXPECT_EQ(text(*redis, command("ECHO", "third")), "third");
}

TEST_F(RedisClient, ARequestCancelledBeforeItIsWrittenNeverRuns) {
    const redis_server server;
    const auto redis = connect(server.url());
    const auto cancelled = start(*redis, command("SET", "k", "v"));
    ASSERT_GT(loop.poll_one(), 0U);  // It has joined the queue; nothing is connected yet.
    cancelled->cancel.emit(boost::asio::cancellation_type::terminal);
    EXPECT_EQ(wait(cancelled).error(), boost::asio::error::operation_aborted);
    EXPECT_EQ(text(*redis, command("PING")), "PONG");
    EXPECT_EQ(server.cli({"EXISTS", "k"}), "0");
}

TEST_F(RedisClient, AMasterThatIsDemotedBehindTheSameAddressIsLeftUntilThereIsOneAgain) {
    const redis_server server;
    const auto redis = connect(server.url());
    EXPECT_EQ(text(*redis, command("SET", "a", "1")), "OK");
    server.cli({"REPLICAOF", "127.0.0.1", "1"});
    EXPECT_EQ(ask(*redis, command("SET", "a", "2")).error(), redis_errc::connection_lost)
        << "no answer of a replica is";
    ASSERT_TRUE(redis->last_error().has_value());
    EXPECT_EQ(error_class(redis->last_error()->text), "READONLY");
    server.cli({"REPLICAOF", "NO", "ONE"});
    EXPECT_EQ(text(*redis, command("SET", "a", "3")), "OK");
    EXPECT_GE(redis->errors(), 1U);
}

TEST_F(RedisClient, CountsAndKeepsWhatRedisRefuses) {
    const redis_server server;
    const auto redis = connect(server.url());
    EXPECT_EQ(text(*redis, command("SET", "text", "1")), "OK");
    EXPECT_FALSE(redis->last_error().has_value());
    static_cast<void>(text(*redis, command("HGET", "text", "field")));
    EXPECT_EQ(redis->errors(), 1U);
    ASSERT_TRUE(redis->last_error().has_value());
    EXPECT_EQ(error_class(redis->last_error()->text), "WRONGTYPE");
}

}  // namespace
}  // namespace tocsin::redis
