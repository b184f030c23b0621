#include "providers/common/url_check.hpp"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

struct row {
    std::string_view given;
    std::string_view says;  ///< Where the refusal begins; empty if it is taken.
};

TEST(UrlCheck, AnHttpsUrlHasAHostAndNobodysName) {
    for (const row& one : std::vector<row>{
             {"https://api.example.com", ""},
             {"https://api.example.com:8443/a/b?c=d#e", ""},
             {"HTTPS://api.example.com", ""},
             {"https://[2001:db8::1]/", ""},
             {"https://host:1", ""},
             {"https://host:65535", ""},
             {"", "must be a URL"},
             {"api.example.com", "must be a URL"},
             {"/path", "must be a URL"},
             {"https://", "must be a URL"},
             {"https:///path", "must be a URL"},
             {"https://a b", "must be a URL"},
             {"http://api.example.com", "must begin with https://"},
             {"wss://api.example.com", "must begin with https://"},
             {"https://user@host", "must not hold a user name"},
             {"https://user:secret@host", "must not hold a user name"},
             {"https://host:0", "must have a port from 1 to 65535"},
             {"https://host:65536", "must have a port from 1 to 65535"}}) {
        const auto outcome = check_https_url(one.given);
        EXPECT_EQ(outcome.has_error(), !one.says.empty()) << one.given;
        if (outcome.has_error()) {
            EXPECT_TRUE(outcome.error().message.starts_with(one.says))
                << one.given << ": " << outcome.error().message;
        }
    }
}

TEST(UrlCheck, APasswordIsNotRepeated) {
    for (const std::string_view given : {"http://user:secret@host", "https://user:secret@ho st"}) {
        EXPECT_EQ(check_https_url(given).error().message.find("secret"), std::string::npos) << given;
    }
    EXPECT_EQ(check_https_origin("https://host/?secret").error().message.find("user"), std::string::npos);
}

TEST(UrlCheck, AnOriginEndsAfterItsHostAndPort) {
    for (const auto& [given, origin] : std::vector<row>{
             {"https://host", "https://host"},
             {"https://host/", "https://host"},
             {"https://host:8443/", "https://host:8443"}}) {
        const auto outcome = check_https_origin(given);
        ASSERT_FALSE(outcome.has_error()) << given;
        EXPECT_EQ(*outcome, origin);
    }
    for (const std::string_view given :
         {"https://host/a", "https://host//", "https://host/?q", "https://host?q", "https://host#f",
          "https://host/?", "https://host#"}) {
        const auto outcome = check_https_origin(given);
        ASSERT_TRUE(outcome.has_error()) << given;
        EXPECT_TRUE(outcome.error().message.starts_with("must end after the host and port")) << given;
    }
    EXPECT_TRUE(check_https_origin("http://host").has_error());
    EXPECT_TRUE(check_https_origin("https://user@host").has_error());
}

}  // namespace
}  // namespace tocsin
