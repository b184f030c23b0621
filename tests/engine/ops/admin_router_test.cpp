#include "engine/ops/admin_router.hpp"

#include <boost/asio/awaitable.hpp>

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

class AdminRouterTest : public ::testing::Test {
protected:
    void add(std::string_view method, std::string_view path, admin_share share = admin_share::ordinary) {
        subject.add(
            method, path,
            [](const admin_request&) -> boost::asio::awaitable<admin_response> {
                co_return admin_response();
            },
            share);
    }
    admin_router subject;
};

TEST_F(AdminRouterTest, APathIsWholeUnlessItEndsInASlash) {
    add("GET", "/livez");
    add("GET", "/events/");
    struct row {
        std::string_view path;
        bool known;
    };
    for (const row& one : std::vector<row>{
             {"/livez", true},
             {"/livez/", false},
             {"/livezz", false},
             {"/live", false},
             {"/events/", true},
             {"/events/crue/x", true},
             {"/events", false},
             {"", false},
             {"/", false}}) {
        const auto found = subject.find("GET", one.path);
        EXPECT_EQ(found.handler != nullptr, one.known) << one.path;
        EXPECT_EQ(found.allowed, one.known ? "GET, HEAD" : "") << one.path;
    }
}

TEST_F(AdminRouterTest, TheLongestPathThatFitsWins) {
    add("GET", "/api/");
    add("GET", "/api/v1/");
    add("GET", "/api/v1/status");
    EXPECT_EQ(subject.find("GET", "/api/x").prefix, 5U);
    EXPECT_EQ(subject.find("GET", "/api/v1/x").prefix, 8U);
    EXPECT_EQ(subject.find("GET", "/api/v1/status").prefix, 14U);
    EXPECT_EQ(subject.find("GET", "/api/v1/status2").prefix, 8U);
}

TEST_F(AdminRouterTest, AMethodOfAShorterPathIsNoneOfALongerOne) {
    add("POST", "/api/");
    add("GET", "/api/v1");
    const auto found = subject.find("POST", "/api/v1");
    EXPECT_EQ(found.handler, nullptr);
    EXPECT_EQ(found.allowed, "GET, HEAD");
}

TEST_F(AdminRouterTest, AllMethodsOfAPathAreAllowedAndHeadOnlyBesideGet) {
    add("POST", "/pause");
    add("DELETE", "/pause");
    EXPECT_EQ(subject.find("POST", "/pause").allowed, "DELETE, POST");
    EXPECT_EQ(subject.find("GET", "/pause").handler, nullptr);
    add("GET", "/pause");
    EXPECT_EQ(subject.find("PUT", "/pause").allowed, "DELETE, GET, HEAD, POST");
    EXPECT_NE(subject.find("DELETE", "/pause").handler, subject.find("POST", "/pause").handler);
}

TEST_F(AdminRouterTest, AShareIsThatOfTheRouteThatAnswers) {
    add("GET", "/livez", admin_share::health);
    add("POST", "/livez");
    EXPECT_EQ(subject.find("GET", "/livez").share, admin_share::health);
    EXPECT_EQ(subject.find("POST", "/livez").share, admin_share::ordinary);
    EXPECT_EQ(subject.find("PUT", "/livez").share, admin_share::ordinary);
}

}  // namespace
}  // namespace tocsin
