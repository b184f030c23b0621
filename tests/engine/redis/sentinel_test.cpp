#include "engine/redis/sentinel.hpp"

#include "engine/redis/error.hpp"
#include "tests/engine/redis/scripted_peer.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <list>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::redis {
namespace {

using namespace std::chrono_literals;

const std::string unknown = "*-1\r\n";
const std::string refused = "-NOPERM no permission\r\n";

std::string master_at(const std::string& host, const std::string& port) {
    return "*2\r\n" + bulk(host) + bulk(port);
}

class RedisSentinel : public ::testing::Test {
protected:
    /// What Sentinels say that answer so, one after the other.
    result<endpoint> find(const std::vector<std::string>& answers) {
        sentinels.clear();
        where.kind = topology::sentinel;
        where.master_name = "communes";
        where.seeds.clear();
        for (const std::string& answer : answers) {
            const bool deaf = answer.empty();
            const std::string hello = where.sentinel_password.empty() ? welcome : "+OK\r\n" + welcome;
            sentinels.emplace_back(
                loop, std::vector<scripted_peer::conversation>{
                          deaf ? scripted_peer::conversation{} : scripted_peer::conversation{hello, answer}});
            where.seeds.push_back(sentinels.back().where());
        }
        return testing::run_to_end(loop, find_master(dial, where, patience, detail));
    }

    boost::asio::io_context loop{1};
    dialer dial{loop.get_executor()};
    address where;
    std::chrono::milliseconds patience = 5s;
    std::list<scripted_peer> sentinels;
    std::string detail;
};

TEST_F(RedisSentinel, TheFirstThatKnowsTheMasterIsBelieved) {
    EXPECT_EQ(find({master_at("10.0.0.1", "6379"), unknown}).value(), (endpoint{"10.0.0.1", 6379}));
    EXPECT_EQ(sentinels.back().connections(), 0U) << "no other is asked";
    EXPECT_EQ(find({refused, unknown, master_at("10.0.0.2", "6380")}).value(), (endpoint{"10.0.0.2", 6380}));
    EXPECT_EQ(detail, "") << "what the others said is of no interest any more";
    patience = 100ms;
    EXPECT_EQ(find({"", master_at("10.0.0.3", "1")}).value(), (endpoint{"10.0.0.3", 1}));
}

TEST_F(RedisSentinel, IfNoneKnowsItTheLastOneSaysWhy) {
    EXPECT_EQ(find({refused, unknown}).error(), redis_errc::unreachable);
    EXPECT_EQ(detail, "Sentinel " + where.seeds[1].to_string() + " knows no master called \"communes\"");
    EXPECT_EQ(find({unknown, refused}).error(), redis_errc::refused);
    EXPECT_EQ(detail, "Sentinel " + where.seeds[1].to_string() + ": NOPERM no permission");
    EXPECT_EQ(find({"-LOADING soon\r\n"}).error(), redis_errc::unreachable);
    patience = 50ms;
    EXPECT_EQ(find({""}).error(), redis_errc::unreachable) << "that it says nothing passes, too";
}

TEST_F(RedisSentinel, WhatIsNoAddressIsNoMaster) {
    for (const std::string& answer :
         {master_at("10.0.0.1", "0"), master_at("10.0.0.1", "65536"), master_at("10.0.0.1", "-1"),
          master_at("10.0.0.1", "x"), master_at("", "6379"), "*1\r\n" + bulk("10.0.0.1"),
          "*3\r\n" + bulk("10.0.0.1") + bulk("6379") + bulk("x"), std::string("+OK\r\n")}) {
        EXPECT_EQ(find({answer}).error(), redis_errc::unreachable) << answer;
    }
    EXPECT_EQ(find({master_at("10.0.0.1", "65535")}).value().port, 65535);
}

TEST_F(RedisSentinel, AreEnteredWithTheirOwnPasswordAndNoDatabase) {
    where.user = "ali";
    where.password = "sesame";
    where.database = 3;
    where.sentinel_password = "guard";
    ASSERT_TRUE(find({master_at("10.0.0.1", "6379")}).has_value());
    const std::string& said = sentinels.front().read();
    EXPECT_NE(said.find("*2\r\n$4\r\nAUTH\r\n$5\r\nguard\r\n"), std::string::npos) << said;
    for (const char* const ours : {"ali", "sesame", "SELECT"}) {
        EXPECT_EQ(said.find(ours), std::string::npos) << said;
    }
}

}  // namespace
}  // namespace tocsin::redis
