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

class RedisClientMutualTls : public RedisClientTls, public ::testing::WithParamInterface<const char*> {
protected:
    static redis_server_options asking() {
        redis_server_options options = tls();
        options.extra = {"--tls-auth-clients", "yes", "--tls-protocols", GetParam()};
        return options;
    }
    std::unique_ptr<client> connect_showing(const redis_server& to, const redis_server& whose) {
        address where = parse_address(to.url()).value();
        where.ca_file = to.ca_file();
        where.certificate_file = whose.ca_file();
        where.certificate_key_file = whose.key_file();
        return std::make_unique<client>(loop.get_executor(), std::move(where), time, log, client_options{});
    }
};

TEST_P(RedisClientMutualTls, ShowsItsCertificateToAServerThatAsksForOne) {
    const redis_server server(asking());
    const auto redis = connect_showing(server, server);
    EXPECT_EQ(text(*redis, command("PING")), "PONG");
}

TEST_P(RedisClientMutualTls, WithoutOneItIsRefusedAndToldWhichKeyIsMissing) {
    const redis_server server(asking());
    const auto redis = connect(server.url(), {}, server.ca_file());
    EXPECT_EQ(ask(*redis, command("PING")).error(), redis_errc::refused);
    EXPECT_NE(log.details.find("redis.certificate_file"), std::string::npos) << log.details;
}

TEST_P(RedisClientMutualTls, CertificateOfAStrangerIsRefusedAndNotUnreachable) {
    const redis_server server(asking());
    const redis_server stranger(tls());
    const auto redis = connect_showing(server, stranger);
    EXPECT_EQ(ask(*redis, command("PING")).error(), redis_errc::refused);
    EXPECT_NE(log.details.find("does not accept redis.certificate_file"), std::string::npos) << log.details;
}

INSTANTIATE_TEST_SUITE_P(
    Protocols, RedisClientMutualTls, ::testing::Values("TLSv1.2", "TLSv1.3"),
    [](const auto& test) { return std::string(test.param) == "TLSv1.2" ? "Tls12" : "Tls13"; });

TEST_F(RedisClientTls, ServerWithoutTlsIsToldFromOneThatIsNotThere) {
    redis_server_options plain;
    plain.tcp = true;
    const redis_server server(plain);
    const std::string url = "rediss://127.0.0.1:" + std::to_string(server.port());
    client_options hurried;
    hurried.connect_timeout = std::chrono::milliseconds(300);
    hurried.reply_timeout = std::chrono::milliseconds(600);
    const auto redis = connect(url, hurried, {});
    EXPECT_TRUE(ask(*redis, command("PING")).has_error());
    EXPECT_NE(log.details.find("does not answer in TLS"), std::string::npos) << log.details;
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
