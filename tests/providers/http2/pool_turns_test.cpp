#include "tests/providers/http2/pool_fixture.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// A busy thread looks at its connections in turns: the order within one of them.

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

/// Writes down which connection was answered on, and which was given a request, run by run.
class watching_client final : public recorded_client {
public:
    bool next_request(std::uint64_t connection, time_point now, request& out) noexcept override {
        const bool given = recorded_client::next_request(connection, now, out);
        if (given) {
            note(connection, "filled");
        }
        return given;
    }
    connection_advice on_response(const response& answer) noexcept override {
        note(answer.connection, "read");
        return recorded_client::on_response(answer);
    }

    std::vector<std::pair<std::uint64_t, std::string>> runs;

private:
    void note(std::uint64_t connection, const char* what) {
        std::pair<std::uint64_t, std::string> run(connection, what);
        if (runs.empty() || runs.back() != run) {
            runs.push_back(std::move(run));
        }
    }
};

class PoolTurnsTest : public Http2PoolTest {
protected:
    static constexpr std::size_t connections = 3;
    static constexpr std::size_t streams = 100;

    void SetUp() override {
        h2_tls_server::options options;
        options.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams}};
        serve(options);
        server->on_request = [this](auto& peer, std::int32_t stream, const auto&) {
            held.emplace_back(&peer, stream);
        };
        rhythm.shortest = rhythm.longest = 300ms;
        policy.max_connections = connections;
        open();
        pool_->attach(watching);
    }
    void TearDown() override {
        pool_->detach(watching);
        Http2PoolTest::TearDown();
    }

    /// Of those that are held, so many of each connection.
    void answer_of_each(std::size_t count) {
        std::map<h2_tls_server::peer*, std::size_t> answered;
        std::erase_if(held, [&](const auto& each) {
            if (answered[each.first]++ >= count) {
                return false;
            }
            each.first->http2.respond(each.second, "200");
            return true;
        });
        for (const auto& [peer, ignored] : answered) {
            peer->flush();
        }
    }

    watching_client watching;
    std::vector<std::pair<h2_tls_server::peer*, std::int32_t>> held;
};

TEST_F(PoolTurnsTest, WhatWasAnsweredOnOneConnectionIsRefilledBeforeTheNextIsRead) {
    watching.add_many(connections * streams + 500, "x");
    pool_->wake(watching);
    // One in a hundred streams is kept for what is urgent.
    const std::size_t full = connections * (streams - 1);
    ASSERT_TRUE(run_until([&] { return held.size() == full; })) << held.size();
    answer_of_each(1);  // From now on each is read in turns.
    ASSERT_TRUE(run_until([&] { return held.size() == full; })) << held.size();
    watching.runs.clear();
    answer_of_each(20);
    ASSERT_TRUE(run_until([&] { return held.size() == full; })) << held.size();

    ASSERT_EQ(watching.runs.size(), 2 * connections);
    for (std::size_t i = 0; i < connections; ++i) {
        EXPECT_EQ(watching.runs[2 * i].second, "read");
        EXPECT_EQ(watching.runs[2 * i + 1].second, "filled");
        EXPECT_EQ(watching.runs[2 * i].first, watching.runs[2 * i + 1].first);
    }
}

TEST_F(PoolTurnsTest, NoConnectionIsAlwaysTheFirst) {
    watching.add_many(connections * streams + 1'000, "x");
    pool_->wake(watching);
    const std::size_t full = connections * (streams - 1);
    ASSERT_TRUE(run_until([&] { return held.size() == full; })) << held.size();
    answer_of_each(1);
    ASSERT_TRUE(run_until([&] { return held.size() == full; })) << held.size();
    std::set<std::uint64_t> first;
    // A turn without an answer may come between two with some.
    for (std::size_t i = 0; i < 10 && first.size() < connections; ++i) {
        watching.runs.clear();
        answer_of_each(20);
        ASSERT_TRUE(run_until([&] { return held.size() == full; })) << held.size();
        first.insert(watching.runs.at(0).first);
    }
    EXPECT_EQ(first.size(), connections);
}

TEST_F(PoolTurnsTest, ClientsShareWhatATurnHasFreed) {
    recorded_client other;
    pool_->attach(other);
    watching.add_many(5'000, "x");
    other.add_many(5'000, "y");
    pool_->wake(watching);
    pool_->wake(other);
    const std::size_t full = connections * (streams - 1);
    ASSERT_TRUE(run_until([&] { return held.size() == full; })) << held.size();
    answer_of_each(1);
    ASSERT_TRUE(run_until([&] { return held.size() == full; })) << held.size();
    const std::size_t before = watching.waiting();
    const std::size_t others_before = other.waiting();
    for (int turn = 0; turn < 6; ++turn) {
        answer_of_each(20);
        ASSERT_TRUE(run_until([&] { return held.size() == full; })) << held.size();
    }
    const std::size_t taken = before - watching.waiting();
    const std::size_t others = others_before - other.waiting();
    EXPECT_EQ(taken + others, 6 * connections * 20);
    EXPECT_GE(taken, 120U);
    EXPECT_GE(others, 120U);
    pool_->detach(other);
}

}  // namespace
}  // namespace tocsin::http2
