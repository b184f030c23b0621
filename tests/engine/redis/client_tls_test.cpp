#include "tests/engine/redis/client_fixture.hpp"

namespace tocsin::redis {
namespace {

using testing::redis_server;
using testing::redis_server_options;

class RedisClientTls : public redis_client_test {
protected:
    static redis_server_options tls() {
        redis_server_options options;
        options.tls = true;
        options.password = "sesame";
        return options;
    }
};

TEST_F(RedisClientTls, TrustsTheGivenRoot) {
    const redis_server server(tls());
    const auto redis = connect(server.url(), {}, server.ca_file());
    EXPECT_EQ(text(*redis, command("PING")), "PONG");
    const std::string big(std::size_t{3} * 1024 * 1024, 'x');
    EXPECT_EQ(text(*redis, command("SET", "big", big)), "OK");
    EXPECT_EQ(text(*redis, command("GET", "big")), big);
}

TEST_F(RedisClientTls, VerifiesTheNameToo) {
    redis_server_options options = tls();
    options.extra = {"--bind", "127.0.0.1", "127.0.0.2"};
    const redis_server server(options);
    const std::string tail = ":" + std::to_string(server.port());
    const auto named = connect("rediss://:sesame@localhost" + tail, {}, server.ca_file());
    EXPECT_EQ(text(*named, command("PING")), "PONG");
    // The same server by an address that its certificate does not have.
    const auto misnamed = connect("rediss://:sesame@127.0.0.2" + tail, {}, server.ca_file());
    EXPECT_EQ(ask(*misnamed, command("PING")).error(), redis_errc::refused);
    EXPECT_NE(log.details.find("mismatch"), std::string::npos) << log.details;
}

TEST_F(RedisClientTls, RefusesAServerOfAnotherRoot) {
    const redis_server server(tls());
    const redis_server other(tls());
    const auto redis = connect(server.url(), {}, other.ca_file());
    EXPECT_EQ(ask(*redis, command("PING")).error(), redis_errc::refused);
    EXPECT_NE(log.details.find("self-signed certificate"), std::string::npos) << log.details;
}

TEST_F(RedisClientTls, RefusesAServerWhoseRootTheSystemDoesNotKnow) {
    const redis_server server(tls());
    const auto redis = connect(server.url());
    EXPECT_EQ(ask(*redis, command("PING")).error(), redis_errc::refused);
}

TEST_F(RedisClientTls, NamesACaFileThatCannotBeRead) {
    const redis_server server(tls());
    const auto redis = connect(server.url(), {}, "/no/such/file.pem");
    EXPECT_EQ(ask(*redis, command("PING")).error(), redis_errc::refused);
    EXPECT_NE(log.details.find("/no/such/file.pem"), std::string::npos) << log.details;
}

TEST_F(RedisClientTls, AnswersManyRequestsInOrder) {
    const redis_server server(tls());
    const auto redis = connect(server.url(), {}, server.ca_file());
    std::vector<call_ptr> calls;
    for (int i = 0; i < 500; ++i) {
        calls.push_back(start(*redis, command("ECHO", std::string(500, 'x') + std::to_string(i))));
    }
    for (int i = 0; i < 500; ++i) {
        EXPECT_EQ(
            wait(calls[static_cast<std::size_t>(i)]).value().front().text(),
            std::string(500, 'x') + std::to_string(i));
    }
}

TEST_F(RedisClientTls, RecoversAfterARestart) {
    redis_server server(tls());
    const auto redis = connect(server.url(), {}, server.ca_file());
    EXPECT_EQ(text(*redis, command("PING")), "PONG");
    server.restart();
    ASSERT_TRUE(run_until([&] { return redis->errors() > 0 && redis->connected(); }));
    EXPECT_EQ(text(*redis, command("PING")), "PONG");
}

}  // namespace
}  // namespace tocsin::redis
