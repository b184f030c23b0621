#include "engine/redis/dialer.hpp"

#include "engine/redis/error.hpp"
#include "tests/engine/redis/scripted_peer.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::redis {
namespace {

using namespace std::chrono_literals;
using role = dialer::role;

class RedisDialer : public ::testing::Test {
protected:
    address at(const scripted_peer& peer) {
        address out = given;
        out.host = peer.where().host;
        out.port = peer.where().port;
        return out;
    }
    /// What comes of a greeting that is answered so; no error if it is accepted.
    error_code open(const std::vector<std::string>& answers, role wanted = role::any) {
        const scripted_peer peer(loop, std::vector<scripted_peer::conversation>{answers});
        transport link(loop.get_executor());
        const address where = at(peer);
        const auto outcome = testing::run_to_end(loop, subject.open(link, where, wanted, detail));
        greeting = peer.read();
        return outcome.has_error() ? outcome.error() : error_code();
    }
    result<replies> ask(const std::vector<std::string>& answers, std::chrono::milliseconds patience = 5s) {
        const scripted_peer peer(loop, std::vector<scripted_peer::conversation>{answers});
        const address where = at(peer);
        return testing::run_to_end(loop, subject.ask(where, request("GET", "k"), patience, detail));
    }

    boost::asio::io_context loop{1};
    dialer subject{loop.get_executor()};
    address given;
    std::string detail = "of before";
    std::string greeting;
};

TEST_F(RedisDialer, GivesNoMoreThanItHas) {
    EXPECT_FALSE(open({welcome}));
    EXPECT_EQ(detail, "");
    EXPECT_EQ(greeting.find("AUTH"), std::string::npos);
    EXPECT_EQ(greeting.find("SELECT"), std::string::npos);
    EXPECT_EQ(greeting.find("ROLE"), std::string::npos);
    given.password = "sesame";
    EXPECT_FALSE(open({"+OK\r\n" + welcome}));
    EXPECT_NE(greeting.find("*2\r\n$4\r\nAUTH\r\n$6\r\nsesame\r\n"), std::string::npos) << greeting;
    given.user = "ali";
    given.database = 3;
    EXPECT_FALSE(open({"+OK\r\n+OK\r\n" + welcome}));
    EXPECT_NE(
        greeting.find("AUTH\r\n$3\r\nali\r\n$6\r\nsesame\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3"),
        std::string::npos)
        << greeting;
}

TEST_F(RedisDialer, AUserWhoMayNotSayItsNameOrPingIsStillLetIn) {
    EXPECT_FALSE(open({"-ERR unknown command\r\n-NOPERM no permission\r\n"}));
    EXPECT_EQ(open({"+OK\r\n-ERR unknown command\r\n"}), redis_errc::refused);
    given.password = "sesame";
    EXPECT_EQ(open({"-NOPERM no permission\r\n" + welcome}), redis_errc::refused);
    EXPECT_EQ(detail, "NOPERM no permission");
}

TEST_F(RedisDialer, TellsWhatPassesFromWhatHasToBeCorrected) {
    for (const std::string passing :
         {"LOADING Redis is loading", "MASTERDOWN Link with MASTER is down", "BUSY Redis is busy",
          "TRYAGAIN Multiple keys", "CLUSTERDOWN The cluster is down", "ERR max number of clients reached"}) {
        EXPECT_EQ(open({"+OK\r\n-" + passing + "\r\n"}), redis_errc::unreachable) << passing;
        EXPECT_EQ(detail, passing);
        EXPECT_EQ(ask({welcome, "-" + passing + "\r\n"}).error(), redis_errc::unreachable) << passing;
    }
    for (const std::string lasting :
         {"NOAUTH Authentication required.", "WRONGPASS invalid", "ERR LOADING"}) {
        EXPECT_EQ(open({"+OK\r\n-" + lasting + "\r\n"}), redis_errc::refused) << lasting;
        EXPECT_EQ(ask({welcome, "-" + lasting + "\r\n"}).error(), redis_errc::refused) << lasting;
        EXPECT_EQ(detail, lasting);
    }
}

TEST_F(RedisDialer, WhoTurnsUsAwayAndHangsUpIsHeard) {
    EXPECT_EQ(open({"-ERR max number of clients reached\r\n", ""}), redis_errc::unreachable);
    EXPECT_EQ(detail, "ERR max number of clients reached");
    EXPECT_EQ(open({"-DENIED Redis is running in protected mode\r\n", ""}), redis_errc::refused);
    EXPECT_EQ(open({"", ""}), boost::asio::error::eof) << "without a word";
    EXPECT_EQ(open({"HTTP/1.1 400 Bad Request\r\n\r\n"}), redis_errc::protocol);
}

struct role_case {
    const char* name;
    std::string answer;
    bool no_replica;  ///< Whether it is good enough.
    bool master;
};

class RedisDialerRole : public RedisDialer, public ::testing::WithParamInterface<role_case> {};

TEST_P(RedisDialerRole, IsGoodEnoughOrTriedAgain) {
    EXPECT_FALSE(open({welcome}, role::any));
    EXPECT_EQ(!open({welcome + GetParam().answer}, role::no_replica), GetParam().no_replica);
    EXPECT_EQ(!open({welcome + GetParam().answer}, role::master), GetParam().master);
}

INSTANTIATE_TEST_SUITE_P(
    Answers, RedisDialerRole,
    ::testing::Values(
        role_case{"Master", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", true, true},
        role_case{"Replica", "*1\r\n$5\r\nslave\r\n", false, false},
        role_case{"Sentinel", "*1\r\n$8\r\nsentinel\r\n", true, false},
        role_case{"Nothing", "*0\r\n", true, false}, role_case{"NoAnswer", "+OK\r\n", true, false},
        role_case{"Forbidden", "-NOPERM no permission\r\n", true, false}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(RedisDialer, AReplicaIsAskedAgainLaterAndAMasterThatMayNotBeAskedIsNot) {
    EXPECT_EQ(open({welcome + "*1\r\n$5\r\nslave\r\n"}, role::master), redis_errc::unreachable);
    EXPECT_EQ(detail, "it is not a master, or not yet");
    EXPECT_EQ(open({welcome + "-NOPERM no permission\r\n"}, role::master), redis_errc::refused);
}

TEST_F(RedisDialer, AsksAfterItsGreetingAndForNoLongerThanItIsToldTo) {
    const auto answer = ask({welcome, "$1\r\nv\r\n"});
    ASSERT_TRUE(answer.has_value()) << answer.error().message();
    EXPECT_EQ(answer->size(), 1U);
    EXPECT_EQ(answer->front().text(), "v");
    EXPECT_EQ(ask({"+OK\r\n-NOAUTH first\r\n", "$1\r\nv\r\n"}).error(), redis_errc::refused);
    EXPECT_EQ(ask({welcome}, 50ms).error(), boost::asio::error::timed_out);
}

}  // namespace
}  // namespace tocsin::redis
