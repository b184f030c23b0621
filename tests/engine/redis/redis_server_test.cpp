#include "tests/support/redis_server.hpp"

#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(RedisServerTest, AServerThatHangsUpOnATestIsAnErrorAndNotTheEndOfTheProgram) {
    testing::redis_server server;
    std::jthread hangs_up([&server](const std::stop_token& enough) {
        // What a server does to its clients when it changes its role.
        while (!enough.stop_requested()) {
            try {
                server.cli({"CLIENT", "KILL", "TYPE", "normal"});
            } catch (const std::runtime_error&) {
                continue;
            }
        }
    });
    int errors = 0;
    for (int i = 0; i < 5'000; ++i) {
        try {
            EXPECT_EQ(server.cli({"ECHO", "here"}), "here");
        } catch (const std::runtime_error&) {
            ++errors;
        }
    }
    EXPECT_GT(errors, 0);
}

}  // namespace
}  // namespace tocsin
