#include "engine/redis/address.hpp"

#include <string>

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

TEST(RedisAddress, RefusesWithASentenceThatSaysWhatIsWrong) {
    EXPECT_NE(
        refusal_of("http://example").find("redis, rediss (TLS) or unix; it is \"http\""), std::string::npos);
    EXPECT_NE(refusal_of("redis:example").find("two slashes"), std::string::npos);
    EXPECT_NE(refusal_of("redis://example:99999").find("1 to 65535"), std::string::npos);
    EXPECT_NE(refusal_of("redis://example:0").find("1 to 65535"), std::string::npos);
    EXPECT_NE(refusal_of("redis://example/mails").find("it is \"mails\""), std::string::npos);
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
          "redis://:hunter2 @example", "http://:hunter2@example"}) {
        const std::string sentence = refusal_of(url);
        EXPECT_FALSE(sentence.empty()) << url;
        EXPECT_EQ(sentence.find("hun"), std::string::npos) << sentence;
    }
}

}  // namespace
}  // namespace tocsin::redis
