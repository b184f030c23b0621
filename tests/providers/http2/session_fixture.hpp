#pragma once

#include "providers/http2/session.hpp"
#include "tests/support/h2_test_server.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/recorded_client.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace tocsin::http2 {

using testing::h2_test_server;
using testing::recorded_client;

/// Passes everything on to the clients, and remembers the GOAWAYs.
struct forwarded_events final : session_events {
    void on_answer(client& who, const response& answer) noexcept override {
        static_cast<void>(who.on_response(answer));
    }
    void on_failure(client& who, const failed_request& failed) noexcept override { who.on_failure(failed); }
    void on_going_away(h2_code code, std::string_view text) noexcept override {
        ++goaways;
        goaway_code = code;
        goaway_text = text;
    }

    int goaways = 0;
    h2_code goaway_code{};
    std::string goaway_text;
};

/// A session and its peer in memory, with nothing between them.
class Http2SessionTest : public ::testing::Test {
protected:
    Http2SessionTest() { restart({.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000}}}); }

    void restart(const h2_test_server::options& peer, const session_options& ours = {}) {
        server = std::make_unique<h2_test_server>(peer);
        session_ = std::make_unique<session>(ours, events);
    }

    void send() {
        session_->mark_written(time.now());
        server->feed(session_->output());
        session_->clear_output();
    }
    /// Carries bytes both ways until neither side has any left.
    void exchange() {
        for (;;) {
            const bool sent = !session_->output().empty();
            send();
            const std::string in = server->take_output();
            if (!in.empty()) {
                ASSERT_FALSE(session_->feed(in, time.now()));
            }
            if (in.empty() && !sent) {
                return;
            }
        }
    }
    /// Submits one request with `body`; its number in client.outcomes.
    std::size_t post(std::string body = R"({"aps":{}})") {
        const std::size_t index = client.add(std::move(body));
        const error_code refused = session_->submit(client, client.make(index), time.now());
        EXPECT_FALSE(refused) << refused.message();
        return index;
    }
    /// As many as credit() allows; how many that were.
    std::size_t post_all(const std::string& body = "x") {
        std::size_t count = 0;
        for (; session_->credit() != 0 && count < 5000; ++count) {
            post(body);
        }
        return count;
    }

    testing::manual_time time;
    forwarded_events events;
    recorded_client client;
    std::unique_ptr<h2_test_server> server;
    std::unique_ptr<session> session_;
};

}  // namespace tocsin::http2
