#include "tests/faults/fault_fixture.hpp"

#include <chrono>
#include <cstdint>
#include <iostream>
#include <ostream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

// Both providers are of no use for a while, each time in another way: nobody is failed, nobody is dialled
// without end, and what waited goes out soon after. Five minutes of each kind, on a clock that the test
// moves, are in tests/providers/http2/outage_test.cpp.

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::crowd;
using testing::number;

struct kind {
    const char* name;
    const char* begin;  ///< What the simulator is told; empty: it is ended.
    const char* end;
};

void PrintTo(const kind& given, std::ostream* out) {
    *out << given.name;
}

/// What listens here is not to be listened on by the engine, too, that is started from here.
void keep_sockets_from_children() {
    for (int fd = STDERR_FILENO + 1; fd < 1'024; ++fd) {
        if (const int flags = fcntl(fd, F_GETFD); flags >= 0) {
            fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
        }
    }
}

class ProviderOutageTest : public testing::fault_fixture, public ::testing::WithParamInterface<kind> {
protected:
    void begin() {
        const std::string told = GetParam().begin;
        if (told.empty()) {
            providers.reset();
        } else {
            change_providers(told);
        }
    }
    void end() {
        if (providers == nullptr) {
            start_simulator();
        } else {
            change_providers(GetParam().end);
        }
    }
    std::uint64_t connections(const char* provider) const {
        return providers->stats().at(provider).at("connections").to_number<std::uint64_t>();
    }
};

TEST_P(ProviderOutageTest, FailsNobodyStormsNobodyAndEndsWithinHalfAMinuteOfItsEnd) {
    constexpr auto as_long_as = 10s;
    // As many as are opened together, and then 1, 2, 4 and 8 seconds, less up to half, between two.
    constexpr std::uint64_t together = 16;
    constexpr std::uint64_t one_by_one = 6;
    crowd all;
    all.count = 3'000;
    register_crowds({all});
    keep_sockets_from_children();
    auto& only = launch("only");
    wait_until_ready(only);
    begin();
    const std::string event = publish_to(all, R"(,"ttl":3600)");
    std::this_thread::sleep_for(as_long_as);
    if (providers != nullptr) {
        EXPECT_EQ(look_at(all).accepted, 0U);
        for (const char* provider : {"apns", "fcm"}) {
            std::cout << connections(provider) << " connections to " << provider << "\n";
            EXPECT_LE(connections(provider), together + one_by_one) << provider;
        }
    }
    end();
    const auto ended = std::chrono::steady_clock::now();
    const json::object result = wait_for_result(event);
    const auto took = std::chrono::steady_clock::now() - ended;
    std::cout << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms after its end\n";
    expect_everybody_accepted(result, all);
    EXPECT_EQ(number(result, "failed"), 0);
    EXPECT_LT(took, 45s) << "half a minute, and some for a machine that is busy";
}

INSTANTIATE_TEST_SUITE_P(
    OfBothProviders, ProviderOutageTest,
    ::testing::Values(
        kind{"NobodyListens", "", ""},
        kind{
            "Every500",
            R"({"apns":{"errors":[{"reason":"InternalServerError","share":1}]},
                "fcm":{"errors":[{"reason":"INTERNAL","share":1}]}})",
            R"({"all":{"errors":[]}})"},
        kind{
            "Every503",
            R"({"apns":{"errors":[{"reason":"ServiceUnavailable","share":1}]},
                "fcm":{"errors":[{"reason":"UNAVAILABLE","share":1,"retry_after":10}]}})",
            R"({"all":{"errors":[]}})"},
        kind{
            "GoAwayAfterTheFirstRequest",
            R"({"all":{"faults":{"goaway_after_requests":1,"refuse_share":1}}})",
            R"({"all":{"faults":{"goaway_after_requests":0,"refuse_share":0}}})"},
        kind{
            "CutAfterTheFirstRequest", R"({"all":{"faults":{"close_after_requests":1,"refuse_share":1}}})",
            R"({"all":{"faults":{"close_after_requests":0,"refuse_share":0}}})"},
        kind{
            "EveryStreamRefused", R"({"all":{"faults":{"refuse_share":1}}})",
            R"({"all":{"faults":{"refuse_share":0}}})"},
        kind{
            "TcpWithoutTls", R"({"all":{"faults":{"slow_tls_share":1,"slow_tls_ms":60000}}})",
            R"({"all":{"faults":{"slow_tls_share":0}}})"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tocsin
