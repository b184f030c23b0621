#include "tests/providers/http2/session_fixture.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

TEST_F(Http2SessionTest, NothingFitsBeforeThePeersSettings) {
    EXPECT_EQ(session_->credit(), 0U);
    const auto index = client.add("x");
    EXPECT_EQ(session_->submit(client, client.make(index), time.now()), http2_errc::no_free_stream);
    exchange();
    EXPECT_EQ(session_->credit(), 127U);  // The 65,535-byte window, not the 1000 streams.
}

TEST_F(Http2SessionTest, PathStaysOutOfTheHeaderTableAndTheRestGoesIn) {
    exchange();
    post();
    const std::size_t first = session_->output().size();
    send();
    post();
    const std::size_t second = session_->output().size();
    send();
    EXPECT_LT(second, first - 20);  // Authority and topic are one byte each now.
    post();
    EXPECT_EQ(session_->output().find("fr.example.app"), std::string_view::npos);
    exchange();
    EXPECT_EQ(server->requests().at(5).headers.at(":path"), "/3/device/2");
}

TEST_F(Http2SessionTest, CredentialsAndTopicsThatChangeUnderLoadArriveWholeThoughTheHeaderTableOverflows) {
    exchange();
    for (std::size_t round = 0; round < 200; ++round) {
        // A provider token's length, and topics of many apps: together far more than the table holds.
        client.token = "bearer " + std::string(1'000, static_cast<char>('a' + round / 7 % 26));
        const std::string topic = "fr.example." + std::string(300 + round, 't');
        const std::size_t index = client.add("x");
        request what = client.make(index);
        for (std::size_t i = 0; i < what.field_count; ++i) {
            if (what.fields[i].name == "apns-topic") {
                what.fields[i].value = topic;
            }
        }
        ASSERT_FALSE(session_->submit(client, what, time.now()));
        if (round % 5 == 4) {
            exchange();
        }
        const auto stream = static_cast<std::int32_t>(2 * round + 1);
        if (round % 5 == 4) {
            const auto& seen = server->requests().at(stream).headers;
            ASSERT_EQ(seen.at("authorization"), client.token);
            ASSERT_EQ(seen.at("apns-topic"), topic);
            for (std::int32_t id = stream - 8; id <= stream; id += 2) {
                server->respond(id, "200");
            }
            exchange();
        }
    }
    EXPECT_EQ(client.answered, 200U);
    EXPECT_TRUE(server->healthy());
}

TEST_F(Http2SessionTest, LimitOfOneIsHonouredThenLifted) {
    restart({.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}}});
    exchange();
    EXPECT_EQ(post_all(), 1U);
    EXPECT_TRUE(session_->saturated());
    exchange();
    server->set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000);
    server->respond(1, "200");
    exchange();
    EXPECT_EQ(post_all(), 1000U);
    exchange();
    EXPECT_EQ(server->most_open(), 1000U);
    EXPECT_TRUE(server->healthy());
}

TEST_F(Http2SessionTest, LimitThatFallsMidFlightIsHonouredAtOnce) {
    exchange();
    for (int i = 0; i < 10; ++i) {
        post();
    }
    exchange();
    server->set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1);
    exchange();
    EXPECT_EQ(session_->credit(), 0U);
    for (std::int32_t stream = 1; stream <= 17; stream += 2) {
        server->respond(stream, "200");
        exchange();
        EXPECT_EQ(session_->credit(), 0U) << "nine of ten answered, one is all that may be open";
    }
    server->respond(19, "200");
    exchange();
    EXPECT_EQ(session_->credit(), 1U);
    server->set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0);
    exchange();
    EXPECT_EQ(session_->credit(), 0U);
    server->set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 50);
    exchange();
    EXPECT_EQ(session_->credit(), 50U);
    EXPECT_EQ(client.answered, 10U);
}

TEST_F(Http2SessionTest, OurOwnCapHoldsWhereThePeerSetsNone) {
    restart({}, {.stream_cap = 90});
    exchange();
    EXPECT_EQ(post_all(), 90U);
}

TEST_F(Http2SessionTest, InitialWindowOfZeroStopsNewRequestsUntilItOpensAgain) {
    exchange();
    const auto early = post(std::string(3000, 'a'));
    exchange();
    server->set(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0);
    exchange();
    EXPECT_EQ(session_->credit(), 0U);
    server->respond(1, "200");
    exchange();
    EXPECT_EQ(client.outcomes[early].status, 200);
    EXPECT_EQ(session_->credit(), 0U);
    server->set(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 65'535);
    exchange();
    EXPECT_NE(session_->credit(), 0U);
    post(std::string(3000, 'b'));
    exchange();
    EXPECT_EQ(server->requests().at(3).body.size(), 3000U);
}

TEST_F(Http2SessionTest, BodyLargerThanTheStreamWindowArrivesInParts) {
    restart({.settings = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 2000}}});
    exchange();
    const auto index = post(std::string(5000, 'a'));
    send();
    EXPECT_EQ(server->requests().at(1).body.size(), 2000U);
    EXPECT_FALSE(server->requests().at(1).ended);
    exchange();  // The server's WINDOW_UPDATEs let the rest follow.
    EXPECT_EQ(server->requests().at(1).body, std::string(5000, 'a'));
    EXPECT_TRUE(server->requests().at(1).ended);
    server->respond(1, "200");
    exchange();
    EXPECT_EQ(client.outcomes[index].status, 200);
}

TEST_F(Http2SessionTest, ATinyStreamWindowIsSlowAndNotTheEnd) {
    restart({.settings = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 10}}});
    exchange();
    EXPECT_EQ(session_->credit(), 1U);
    const auto index = post(std::string(95, 'a'));
    EXPECT_EQ(session_->credit(), 0U);
    exchange();
    EXPECT_EQ(server->requests().at(1).body, std::string(95, 'a'));
    server->respond(1, "200");
    exchange();
    EXPECT_EQ(client.outcomes[index].status, 200);
    EXPECT_EQ(session_->credit(), 1U);
}

TEST_F(Http2SessionTest, ExhaustedConnectionWindowStopsRequestsAndNeverStrandsOne) {
    restart({.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000}}, .give_credit = false});
    exchange();
    const std::string body(1000, 'x');
    const std::size_t sent = post_all(body);
    send();
    EXPECT_EQ(sent, 65U);
    EXPECT_TRUE(session_->saturated());
    for (const auto& [stream, request] : server->requests()) {
        EXPECT_TRUE(request.ended) << "stream " << stream << " was opened without room for its body";
    }
    for (const auto& [stream, request] : server->requests()) {
        server->respond(stream, "200");
    }
    exchange();
    EXPECT_EQ(session_->credit(), 0U);  // Streams are free, the window is not.
    nghttp2_session_consume_connection(server->native(), 65'000);
    exchange();
    EXPECT_EQ(post_all(body), 65U);
}

TEST_F(Http2SessionTest, WindowIsKeptForTheLargestBodySeen) {
    restart({.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000}}, .give_credit = false});
    exchange();
    post(std::string(4000, 'l'));
    post_all(std::string(100, 's'));
    send();
    const std::size_t small = server->requests().size() - 1;
    EXPECT_EQ(small, 576U);  // 65,535 less 4,000, until less than 4,000 are left.
    EXPECT_EQ(session_->credit(), 0U) << "what is pulled next may be as large as the first";
}

TEST_F(Http2SessionTest, HeaderTableOfZeroAndShrinkingIsFollowed) {
    exchange();
    post();
    exchange();
    for (const std::uint32_t size : {0U, 4096U, 64U, 4096U}) {
        server->set(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, size);
        exchange();
        post();
        post();
        exchange();
        ASSERT_TRUE(server->healthy());
        const auto& last = server->requests().rbegin()->second;
        EXPECT_EQ(last.headers.at("apns-topic"), "fr.example.app");
        EXPECT_EQ(last.headers.at("authorization"), "bearer abcdefghij");
    }
    EXPECT_EQ(server->requests().size(), 9U);
}

TEST_F(Http2SessionTest, TenThousandErrorBodiesDoNotFreezeTheConnection) {
    server->on_request = [this](std::int32_t stream, const h2_test_server::received_request&) {
        server->respond(
            stream, "400", R"({"reason":"BadDeviceToken","padding":")" + std::string(300, 'p') + "\"}");
    };
    exchange();
    for (std::size_t sent = 0; sent < 10'000;) {
        const std::size_t more = post_all();
        ASSERT_NE(more, 0U);
        sent += more;
        exchange();
    }
    EXPECT_GE(client.answered, 10'000U);
    EXPECT_EQ(client.failed, 0U);
    EXPECT_GT(server->send_window(), 1024 * 1024 / 2);
}

TEST_F(Http2SessionTest, AFewBytesThatMeanALongHeaderAreLeft) {
    exchange();
    post();
    send();
    // A field of 3,000 bytes into the table, and a thousand references to it.
    std::string block("\x88\x40\x01x\x7f\xb9\x16", 7);
    block += std::string(3'000, 'v') + std::string(1'000, '\xbe');
    std::string head(frame_head_size, '\0');
    write_frame_head(head.data(), block.size(), frame_type::headers, frame_flag::end_headers, 1);
    EXPECT_EQ(session_->feed(head + block, time.now()), http2_errc::protocol_violation);
}

TEST_F(Http2SessionTest, BodiesOnResetStreamsGiveTheirCreditBack) {
    restart({}, {.request_timeout = 1s});
    exchange();
    for (int round = 0; round < 300; ++round) {
        post();
        exchange();
        // The answer is under way while we give up.
        server->respond(server->requests().rbegin()->first, "500", std::string(16'000, 'e'));
        const std::string late = server->take_output();
        time.advance(1s);
        ASSERT_EQ(session_->expire(time.now()), 1U);
        ASSERT_FALSE(session_->feed(late, time.now()));
        exchange();
        post();  // One answer in between, so that the timeouts are not in a row.
        exchange();
        server->respond(server->requests().rbegin()->first, "200");
        exchange();
    }
    EXPECT_EQ(client.count(failure::timed_out), 300U);
    EXPECT_EQ(client.answered, 300U);
    EXPECT_GT(server->send_window(), 1024 * 1024 / 2);
}

}  // namespace
}  // namespace tocsin::http2
