#include "providers/common/https_url.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(HttpsUrl, IsTakenApart) {
    const auto url = parse_https_url("https://oauth2.googleapis.com/token?x=1", "token_uri");
    ASSERT_TRUE(url.has_value());
    EXPECT_EQ(url->host, "oauth2.googleapis.com");
    EXPECT_EQ(url->port, 443);
    EXPECT_EQ(url->target, "/token?x=1");
    EXPECT_EQ(url->authority, "oauth2.googleapis.com");
}

TEST(HttpsUrl, NamesThePortOnlyIfItIsNotTheUsualOne) {
    EXPECT_EQ(parse_https_url("https://a.example:443", "url")->authority, "a.example");
    const auto odd = parse_https_url("https://localhost:2197", "url");
    ASSERT_TRUE(odd.has_value());
    EXPECT_EQ(odd->authority, "localhost:2197");
    EXPECT_EQ(odd->port, 2197);
    EXPECT_EQ(odd->target, "/");
}

TEST(HttpsUrl, KeepsTheBracketsOfAnIPv6AddressInTheAuthorityAlone) {
    const auto url = parse_https_url("https://[::1]:8443/", "url");
    ASSERT_TRUE(url.has_value());
    EXPECT_EQ(url->host, "::1");
    EXPECT_EQ(url->authority, "[::1]:8443");
}

TEST(HttpsUrl, FinalDotIsForTheResolverAlone) {
    const auto url = parse_https_url("https://api.push.apple.com.:2197/", "url");
    ASSERT_TRUE(url.has_value());
    EXPECT_EQ(url->host, "api.push.apple.com.");
    EXPECT_EQ(url->authority, "api.push.apple.com:2197");
    EXPECT_TRUE(parse_https_url("https://./", "url").has_error());
}

TEST(HttpsUrl, RefusesEverythingThatIsNotPlainHttps) {
    for (const std::string_view text :
         {"", "oauth2.googleapis.com/token", "http://a.example/token", "HTTP://a.example", "ftp://a.example",
          "https://", "https://user:password@a.example/", "https://a.example/#part", "https://a.example:0/",
          "https://a.example:99999/", "https://a b/"}) {
        const auto url = parse_https_url(text, "token_uri");
        ASSERT_TRUE(url.has_error()) << text;
        EXPECT_TRUE(url.error().message.starts_with("token_uri: ")) << url.error().message;
    }
}

}  // namespace
}  // namespace tocsin
