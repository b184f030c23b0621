#pragma once

#include "providers/http2/error.hpp"
#include "providers/http2/pool.hpp"
#include "tests/support/h2_tls_server.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/recorded_client.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/throw_away_ca.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::http2 {

using testing::h2_tls_server;
using testing::recorded_client;
using testing::recorded_log;
using testing::throw_away_ca;

/// A pool and a provider on a loopback port, on one loop, over real TLS.
class Http2PoolTest : public ::testing::Test {
protected:
    void TearDown() override {
        if (pool_) {
            pool_->detach(client);
            pool_.reset();
        }
        loop.restart();
        loop.poll();  // The handlers of what was closed.
    }

    void serve(const h2_tls_server::options& given = {}) {
        server = std::make_unique<h2_tls_server>(loop, ca, given);
    }
    void open(const std::string& host = "127.0.0.1", const std::string& ca_file = {}) {
        net::tls_options options;
        options.ca_file = ca_file.empty() ? ca.file() : ca_file;
        options.alpn = "h2";
        const std::uint16_t port = server ? server->port() : closed_port;
        pool_ = std::make_unique<pool>(
            loop.get_executor(), endpoint{host, port}, net::tls_context::create(options).value(), policy,
            thread_commons{
                std::make_shared<turns>(loop.get_executor(), time, rhythm), std::make_shared<dial_gate>()},
            time, log, 7);
        pool_->attach(client);
    }
    void go() { pool_->wake(client); }
    template <class Predicate>
    [[nodiscard]] bool run_until(Predicate done) {
        return testing::loop_until(loop, done);
    }
    /// Lets the loop do whatever it does in that time. For proving that something does not happen.
    void run_for(std::chrono::milliseconds time_to_run) {
        loop.restart();
        loop.run_for(time_to_run);
    }
    /// Sends as many as one connection carries, known beforehand, and waits for the answers.
    void alert_a_village() {
        client.tells_backlog = true;
        client.is_urgent = true;
        client.add_many(161, "alert");
        go();
        ASSERT_TRUE(run_until([&] { return client.answered == 161; }));
    }
    void expect_each_settled_once(std::size_t count) {
        ASSERT_EQ(client.outcomes.size(), count);
        for (const auto& [index, outcome] : client.outcomes) {
            ASSERT_EQ(outcome.answers + outcome.failures, 1U) << "request " << index;
        }
    }

    boost::asio::io_context loop{1};
    throw_away_ca ca;
    std::unique_ptr<h2_tls_server> server;
    system_time_source time;
    recorded_log log;
    recorded_client client;
    pool_policy policy;
    turn_policy rhythm;
    std::uint16_t closed_port = 1;
    std::unique_ptr<pool> pool_;
};

}  // namespace tocsin::http2
