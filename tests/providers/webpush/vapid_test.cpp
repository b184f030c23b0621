#include "providers/webpush/vapid.hpp"

#include "engine/core/text.hpp"
#include "tests/providers/auth/test_keys.hpp"

#include <boost/json/parse.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::webpush {
namespace {

using namespace std::chrono_literals;

constexpr wall_time start{std::chrono::milliseconds{1'795'420'800'000}};

vapid_tokens make() {
    auto signer = auth::es256_signer::from_pem(testing::test_key::p256().pem()).value();
    std::string point = base64url(signer.public_point().value());
    return {std::move(signer), std::move(point), "mailto:dsi@example.fr"};
}

boost::json::object claims_of(const vapid_header& header) {
    const std::string_view token = std::string_view(header.value).substr(8);
    const auto from = token.find('.') + 1;
    return boost::json::parse(from_base64url(token.substr(from, token.find('.', from) - from)).value())
        .get_object();
}

TEST(VapidTest, ATokenSaysForWhomUntilWhenAndWhoAsks) {
    vapid_tokens subject = make();
    const auto header = subject.get("https://push.example.org", start);
    ASSERT_NE(header, nullptr);
    EXPECT_TRUE(header->value.starts_with("vapid t="));
    EXPECT_NE(header->value.find(", k=B"), std::string::npos);
    const auto claims = claims_of(*header);
    EXPECT_EQ(claims.at("aud"), "https://push.example.org");
    EXPECT_EQ(claims.at("sub"), "mailto:dsi@example.fr");
    const auto exp = std::chrono::seconds(claims.at("exp").to_number<std::int64_t>());
    EXPECT_LE(exp - start.time_since_epoch(), 24h);
    EXPECT_GT(exp - start.time_since_epoch(), 1h);
}

TEST(VapidTest, OneTokenServesAnOriginForHours) {
    vapid_tokens subject = make();
    const auto first = subject.get("https://push.example.org", start);
    EXPECT_EQ(subject.get("https://push.example.org", start + 7h), first);
    EXPECT_NE(subject.get("https://other.example.org", start), first);
    const auto second = subject.get("https://push.example.org", start + 9h);
    EXPECT_NE(second, first);
    EXPECT_EQ(subject.newest(), start + 9h);
}

TEST(VapidTest, ARefusalRenewsNoTokenWithinItsFirstHour) {
    vapid_tokens subject = make();
    const auto first = subject.get("https://push.example.org", start);
    EXPECT_FALSE(subject.renew_after_refusal("https://push.example.org", *first, start + 59min));
    EXPECT_EQ(subject.get("https://push.example.org", start + 59min), first);
    EXPECT_TRUE(subject.renew_after_refusal("https://push.example.org", *first, start + 61min));
    const auto second = subject.get("https://push.example.org", start + 61min);
    EXPECT_NE(second, first);
    // Whoever was refused with the first has a newer one to try, and nobody makes a third.
    EXPECT_TRUE(subject.renew_after_refusal("https://push.example.org", *first, start + 62min));
    EXPECT_EQ(subject.get("https://push.example.org", start + 62min), second);
}

// A machine that slept, late NTP, an operator: each origin's token was signed by a clock that was so far off.
TEST(VapidTest, ATokenOfAnotherClockIsOneThatServicesTakeOnceTheClockIsSet) {
    for (const std::chrono::minutes off : std::vector<std::chrono::minutes>{
             1min, 2h, 8h, 12h, 13h, 24h, 48h, 365 * 24h, -2h, -7h, -8h, -11h, -12h, -24h, -365 * 24h}) {
        for (const duration later : {duration(0s), duration(3h), duration(23h)}) {
            vapid_tokens subject = make();
            static_cast<void>(subject.get("https://push.example.org", start + off));
            const wall_time now = start + std::chrono::floor<std::chrono::milliseconds>(later);
            const auto claims = claims_of(*subject.get("https://push.example.org", now));
            const wall_time expires{std::chrono::seconds(claims.at("exp").to_number<std::int64_t>())};
            EXPECT_GT(expires - now, 1h) << off.count() << " minutes off";
            EXPECT_LE(expires - now, 24h) << off.count() << " minutes off";
        }
    }
}

}  // namespace
}  // namespace tocsin::webpush
