#include "engine/redis/address.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::redis {
namespace {

std::string refusal_of(std::string_view url) {
    const auto parsed = parse_address(url);
    return parsed.has_error() ? parsed.error().message : "";
}

TEST(RedisAddress, ReadsEveryPartOfATcpUrl) {
    const address got = parse_address("redis://alice:secret@redis.example:6380/3").value();
    EXPECT_EQ(got.host, "redis.example");
    EXPECT_EQ(got.port, 6380);
    EXPECT_EQ(got.user, "alice");
    EXPECT_EQ(got.password, "secret");
    EXPECT_EQ(got.database, 3);
    EXPECT_FALSE(got.tls);
    EXPECT_TRUE(got.unix_path.empty());
}

TEST(RedisAddress, HasRedisDefaultsForWhatIsLeftOut) {
    const address got = parse_address("redis://").value();
    EXPECT_EQ(got.host, "127.0.0.1");
    EXPECT_EQ(got.port, 6379);
    EXPECT_EQ(got.database, 0);
    EXPECT_EQ(parse_address("redis://example/").value().database, 0);
}

TEST(RedisAddress, NoRefusalAndNoDescriptionRepeatsAPartOfThePassword) {
    // Each half of the password is told from all other text by its letters.
    for (const char* const between :
         {"", "/", "@", "?", "#", "%", ":", ",", " ", "\\", "[", "]", "//", "/@", "%zz", "?db=", "12/34",
          "\n", "é"}) {
        for (const char* const scheme :
             {"redis://", "rediss://", "unix://", "redis+cluster://", "redis+sentinel://", "http://",
              "redis:", "", "://", "redis:/"}) {
            for (const char* const user : {"", "user"}) {
                for (const char* const rest :
                     {"@host:6379/0", "@host", "@host/master/0", "@/run/redis.sock", "", "@host:0",
                      "@host:port/x", "@host,other/master", "@host?x=y"}) {
                    if (std::string_view(rest).empty() && std::string_view(between).ends_with('@')) {
                        continue;  // The second half is a host there.
                    }
                    for (const char* const half : {"zqxj", "7391"}) {
                        const std::string url =
                            std::string(scheme) + user + ":" + half + between + half + rest;
                        const auto read = parse_address(url);
                        const std::string said = read.has_error() ? read.error().message : read->describe();
                        const bool is_port = read.has_value() && read->password.empty();
                        if (!is_port) {
                            EXPECT_EQ(said.find(half), std::string::npos) << url << "\n" << said;
                        }
                    }
                }
            }
        }
    }
}

TEST(RedisAddress, ALonePasswordHasNoUser) {
    const address got = parse_address("redis://:secret@example").value();
    EXPECT_TRUE(got.user.empty());
    EXPECT_EQ(got.password, "secret");
}

TEST(RedisAddress, DecodesUserAndPassword) {
    const address got = parse_address("redis://a%40b:p%2Fw%3A%25%23@example").value();
    EXPECT_EQ(got.user, "a@b");
    EXPECT_EQ(got.password, "p/w:%#");
}

TEST(RedisAddress, RedissIsTls) {
    const address got = parse_address("rediss://example:6380").value();
    EXPECT_TRUE(got.tls);
    EXPECT_EQ(got.port, 6380);
}

TEST(RedisAddress, AnIpv6HostLosesItsBracketsAndIsDescribedWithThem) {
    const address got = parse_address("redis://[::1]:7000/1").value();
    EXPECT_EQ(got.host, "::1");
    EXPECT_EQ(got.describe(), "redis://[::1]:7000/1");
}

TEST(RedisAddress, ReadsAUnixSocketAndItsDatabase) {
    const address got = parse_address("unix://:pw@/run/my%20redis/r.sock?db=5").value();
    EXPECT_EQ(got.unix_path, "/run/my redis/r.sock");
    EXPECT_EQ(got.database, 5);
    EXPECT_EQ(got.password, "pw");
    EXPECT_EQ(parse_address("unix:///r.sock").value().database, 0);
}

TEST(RedisAddress, DescribesItselfWithoutThePassword) {
    EXPECT_EQ(
        parse_address("rediss://alice:secret@example/2").value().describe(), "rediss://alice@example:6379/2");
    EXPECT_EQ(parse_address("unix://:secret@/r.sock").value().describe(), "unix:///r.sock?db=0");
}

TEST(RedisAddress, ReadsTheNodesOfACluster) {
    const address got =
        parse_address("redis+cluster://alice:s%2Ce@10.0.0.1:7001,node.example,[::1]:7003").value();
    EXPECT_EQ(got.kind, topology::cluster);
    EXPECT_FALSE(got.tls);
    EXPECT_EQ(got.user, "alice");
    EXPECT_EQ(got.password, "s,e");
    EXPECT_EQ(got.database, 0);
    const std::vector<endpoint> nodes{{"10.0.0.1", 7001}, {"node.example", 6379}, {"::1", 7003}};
    EXPECT_EQ(got.seeds, nodes);
    EXPECT_EQ(got.describe(), "redis+cluster://alice@10.0.0.1:7001,node.example:6379,[::1]:7003");
    EXPECT_TRUE(parse_address("rediss+cluster://node/").value().tls);
    EXPECT_EQ(parse_address("redis+cluster://node/0").value().seeds.size(), 1U);
    EXPECT_EQ(parse_address("redis+cluster://").value().seeds.front(), (endpoint{"127.0.0.1", 6379}));
}

TEST(RedisAddress, ACommaInAPasswordIsNoSecondNode) {
    const address got = parse_address("redis+cluster://:a,b@one:1,two:2").value();
    EXPECT_EQ(got.password, "a,b");
    const std::vector<endpoint> nodes{{"one", 1}, {"two", 2}};
    EXPECT_EQ(got.seeds, nodes);
}

TEST(RedisAddress, ReadsSentinelsAndTheNameOfTheMaster) {
    const address got =
        parse_address("redis+sentinel://:pw@one,two:26380/my%20master/3?sentinel_password=s%26t").value();
    EXPECT_EQ(got.kind, topology::sentinel);
    EXPECT_EQ(got.password, "pw");
    EXPECT_EQ(got.master_name, "my master");
    EXPECT_EQ(got.database, 3);
    EXPECT_EQ(got.sentinel_password, "s&t");
    const std::vector<endpoint> sentinels{{"one", 26379}, {"two", 26380}};
    EXPECT_EQ(got.seeds, sentinels);
    EXPECT_EQ(got.describe(), "redis+sentinel://one:26379,two:26380/my master/3");
    EXPECT_TRUE(parse_address("rediss+sentinel://one/m").value().tls);
    EXPECT_EQ(parse_address("redis+sentinel://one/m").value().database, 0);
}

TEST(RedisAddress, ANodeHasTheCredentialsOfTheWhole) {
    const address whole = parse_address("rediss+sentinel://alice:pw@one/m/3?sentinel_password=s").value();
    const address node = whole.at({"10.0.0.5", 6390});
    EXPECT_EQ(node.describe(), "rediss://alice@10.0.0.5:6390/3");
    EXPECT_EQ(node.password, "pw");
    EXPECT_EQ(node.kind, topology::single);
    EXPECT_TRUE(node.sentinel_password.empty());
}

TEST(RedisAddress, RefusesNodesThatAreNone) {
    EXPECT_NE(refusal_of("redis+cluster://one/3").find("no databases but 0"), std::string::npos);
    EXPECT_NE(refusal_of("redis+cluster://one?db=1").find("no ?query"), std::string::npos);
    EXPECT_NE(refusal_of("redis+cluster://one,").find("comma between two"), std::string::npos);
    EXPECT_NE(refusal_of("redis+cluster://one,two:x").find("1 to 65535"), std::string::npos);
    EXPECT_NE(refusal_of("redis+cluster://one,two:0").find("1 to 65535"), std::string::npos);
    EXPECT_NE(refusal_of("redis+sentinel://one").find("name of the master"), std::string::npos);
    EXPECT_NE(refusal_of("redis+sentinel://one/").find("name of the master"), std::string::npos);
    EXPECT_NE(refusal_of("redis+sentinel://one/m/x").find("database"), std::string::npos);
    EXPECT_NE(refusal_of("redis+sentinel://one/m/0/1").find("only the database"), std::string::npos);
    EXPECT_NE(refusal_of("redis+sentinel://one/m?password=x").find("sentinel_password"), std::string::npos);
    EXPECT_NE(refusal_of("redis+cluster:one").find("two slashes"), std::string::npos);
}

TEST(RedisAddress, RefusesWithASentenceThatSaysWhatIsWrong) {
    EXPECT_NE(
        refusal_of("http://example").find("redis, rediss (TLS) or unix; it is \"http\""), std::string::npos);
    EXPECT_NE(refusal_of("redis:example").find("two slashes"), std::string::npos);
    EXPECT_NE(refusal_of("redis://example:99999").find("1 to 65535"), std::string::npos);
    EXPECT_NE(refusal_of("redis://example:0").find("1 to 65535"), std::string::npos);
    EXPECT_NE(refusal_of("redis://example/mails").find("a whole number"), std::string::npos);
    EXPECT_NE(refusal_of("redis://example/-1").find("database"), std::string::npos);
    EXPECT_NE(refusal_of("redis://example/1/2").find("database"), std::string::npos);
    EXPECT_NE(refusal_of("redis://example?db=1").find("redis://host:6379/0"), std::string::npos);
    EXPECT_NE(refusal_of("redis://example#1").find("%23"), std::string::npos);
    EXPECT_NE(refusal_of("unix://run/r.sock").find("three slashes"), std::string::npos);
    EXPECT_NE(refusal_of("unix:///").find("missing"), std::string::npos);
    EXPECT_NE(refusal_of("unix:///r.sock?database=1").find("?db=0"), std::string::npos);
    EXPECT_NE(refusal_of("unix:///" + std::string(120, 'a')).find("107"), std::string::npos);
    EXPECT_NE(refusal_of("").find("URL"), std::string::npos);
}

TEST(RedisAddress, ARefusalNeverShowsThePassword) {
    for (const char* url :
         {"redis://:hun%ter2@example", "redis://:hunter2@example:port", "redis://:hunter2@e/x/y",
          "redis://:hunter2 @example", "http://:hunter2@example", "redis+cluster://:hunter2@a,:hunter2@b",
          "redis+cluster://:hun/ter2@a,b", "redis+sentinel://a/m?sentinel_password=hunter2&x=1"}) {
        const std::string sentence = refusal_of(url);
        EXPECT_FALSE(sentence.empty()) << url;
        EXPECT_EQ(sentence.find("hun"), std::string::npos) << sentence;
    }
}

}  // namespace
}  // namespace tocsin::redis
