#include "engine/ops/listen_address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(ListenAddressTest, HostAndPortAreTakenApart) {
    const auto address = parse_listen_address("127.0.0.1:9464");
    ASSERT_TRUE(address.has_value());
    EXPECT_EQ(address->host, "127.0.0.1");
    EXPECT_EQ(address->port, 9464);
    EXPECT_EQ(parse_listen_address("localhost:80")->host, "localhost");
}

TEST(ListenAddressTest, BracketsHoldIpv6) {
    const auto address = parse_listen_address("[::1]:9464");
    ASSERT_TRUE(address.has_value());
    EXPECT_EQ(address->host, "::1");
    EXPECT_EQ(address->port, 9464);
}

TEST(ListenAddressTest, NoHostIsEveryAddress) {
    const auto address = parse_listen_address(":9464");
    ASSERT_TRUE(address.has_value());
    EXPECT_EQ(address->host, "");
}

TEST(ListenAddressTest, WhatCanOnlyBeAnAddressMustBeOne) {
    for (const char* text : {"999.0.0.1:9464", "127.0.0.1.1:9464", "[::1::2]:9464", "[127.0.0.1]:9464"}) {
        const auto address = parse_listen_address(text);
        ASSERT_TRUE(address.has_error()) << text;
        EXPECT_THAT(address.error().message, ::testing::HasSubstr("is not an IP address"));
    }
    EXPECT_TRUE(parse_listen_address("127.1:9464").has_value());
    EXPECT_TRUE(parse_listen_address("[fe80::1%1]:9464").has_value());
    EXPECT_TRUE(parse_listen_address("0.example:9464").has_value());
}

class ListenAddressRefusedTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ListenAddressRefusedTest, NamesWhatWouldBeRight) {
    const auto address = parse_listen_address(GetParam());
    ASSERT_TRUE(address.has_error());
    EXPECT_THAT(address.error().message, ::testing::HasSubstr("127.0.0.1:9464"));
}

INSTANTIATE_TEST_SUITE_P(
    Malformed, ListenAddressRefusedTest,
    ::testing::Values(
        "", "9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1",
        "::1:9464", "[]:9464", "a b:1", "http://127.0.0.1:9464"));

}  // namespace
}  // namespace tocsin
