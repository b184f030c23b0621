#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/redis/client.hpp"
#include "tests/support/redis_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::redis {

class event_log final : public logger {
public:
    bool enabled(log_level) const noexcept override { return true; }
    void write(log_level, std::string_view event, std::span<const log_field> fields) noexcept override {
        events.emplace_back(event);
        for (const log_field& field : fields) {
            details += std::string(field.key) + '=' + field.value + '\n';
        }
    }
    std::vector<std::string> events;
    std::string details;
};

/// A client under test, its loop, and requests that a test can start and wait for.
class redis_client_test : public ::testing::Test {
protected:
    struct pending_call {
        std::optional<result<replies>> answer;
        boost::asio::cancellation_signal cancel;
    };
    using call_ptr = std::shared_ptr<pending_call>;

    std::unique_ptr<client> connect(
        const std::string& url, client_options options = {}, const std::string& ca_file = {}) {
        address where = parse_address(url).value();
        where.ca_file = ca_file;
        return std::make_unique<client>(loop.get_executor(), std::move(where), time, log, options);
    }

    template <class... Words>
    static request command(const Words&... words) {
        request one;
        one.add(words...);
        return one;
    }

    call_ptr start(client& redis, request what) {
        auto made = std::make_shared<pending_call>();
        boost::asio::co_spawn(
            loop, redis.execute(std::move(what)),
            boost::asio::bind_cancellation_slot(
                made->cancel.slot(), [made](const std::exception_ptr& thrown, result<replies> answer) {
                    EXPECT_FALSE(thrown);
                    made->answer = std::move(answer);
                }));
        return made;
    }

    /// Runs the loop until `happened()`; false if it does not within `patience`.
    template <class Condition>
    bool run_until(Condition happened, std::chrono::seconds patience = std::chrono::seconds(20)) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!happened()) {
            loop.restart();
            if (loop.run_one_until(deadline) == 0) {
                return happened();
            }
        }
        return true;
    }

    /// The same for what happens elsewhere, where no event of the loop tells of it.
    template <class Condition>
    bool poll_until(Condition happened, std::chrono::seconds patience = std::chrono::seconds(20)) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!happened()) {
            if (std::chrono::steady_clock::now() > deadline) {
                return false;
            }
            loop.restart();
            loop.run_for(std::chrono::milliseconds(5));
        }
        return true;
    }

    result<replies> wait(const call_ptr& what) {
        if (!run_until([&] { return what->answer.has_value(); })) {
            throw std::runtime_error("no answer");
        }
        return std::move(*what->answer);
    }

    result<replies> ask(client& redis, request what) { return wait(start(redis, std::move(what))); }

    /// The text of the one reply to one command.
    std::string text(client& redis, request what) {
        const auto got = ask(redis, std::move(what));
        return got.has_value() ? std::string(got->front().text()) : got.error().message();
    }

    /// Runs the loop until Redis has read a blocking command and holds its answer back.
    void run_until_blocked(const testing::redis_server& server) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (server.cli({"INFO", "clients"}).find("blocked_clients:1") == std::string::npos) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            loop.restart();
            loop.poll();
        }
    }

    boost::asio::io_context loop{1};
    system_time_source time;
    event_log log;
};

}  // namespace tocsin::redis
