#include "tests/providers/http2/session_fixture.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

// Frames that a proper peer does not send. What breaks a rule of one stream costs that stream, what breaks
// one of the connection's ends it; the requests are each told once in either case.

namespace tocsin::http2 {
namespace {

std::string raw(frame_type type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
    std::string out(frame_head_size, '\0');
    write_frame_head(out.data(), payload.size(), type, flags, stream);
    return out.append(payload);
}

std::string u32(std::uint32_t value) {
    std::string out(4, '\0');
    write_u32(out.data(), value);
    return out;
}

std::string one_setting(setting which, std::uint32_t value) {
    std::string out(2, '\0');
    write_u16(out.data(), static_cast<std::uint32_t>(which));
    return out + u32(value);
}

bool ends_stream(std::string_view frames) {
    frame_reader reader;
    reader.give(frames);
    bool out = false;
    for (frame next; reader.next(next) == frame_reader::outcome::frame;) {
        const bool carries_answer = next.type == frame_type::headers || next.type == frame_type::data;
        out = out || (carries_answer && next.has(frame_flag::end_stream));
    }
    return out;
}

/// The code of the GOAWAY at the end of what is to be written.
h2_code last_words(std::string_view output) {
    constexpr std::size_t size = frame_head_size + 8;
    EXPECT_GE(output.size(), size);
    const std::string_view last = output.substr(output.size() - size);
    EXPECT_EQ(static_cast<frame_type>(last[3]), frame_type::goaway);
    return static_cast<h2_code>(read_u32(last, frame_head_size + 4));
}

struct offence {
    std::string bytes;
    h2_code answer;
    const char* what;
};

TEST_F(Http2SessionTest, BreachesOfTheConnectionsRulesEndItAndSayWhy) {
    using enum frame_type;
    const std::string no_header("\x88", 1);
    const std::vector<offence> offences{
        {raw(data, 0, 0, "x"), h2_code::protocol_error, "DATA on stream 0"},
        {raw(data, 0, 7, "x"), h2_code::protocol_error, "DATA on a stream that nobody opened"},
        {raw(data, 0, 2, "x"), h2_code::protocol_error, "DATA on a pushed stream"},
        {raw(data, frame_flag::padded, 1, "\x05x"), h2_code::protocol_error, "more padding than payload"},
        {raw(data, frame_flag::padded, 1, ""), h2_code::protocol_error, "padding without a length"},
        {raw(headers, frame_flag::end_headers, 0, no_header), h2_code::protocol_error, "HEADERS on stream 0"},
        {raw(headers, frame_flag::end_headers, 9, no_header), h2_code::protocol_error, "HEADERS too early"},
        {raw(headers, frame_flag::end_headers | frame_flag::priority, 1, "\x01"), h2_code::frame_size_error,
         "a priority cut short"},
        {raw(headers, frame_flag::end_headers, 1, "\xff\xff\xff\xff\xff\xff\xff"), h2_code::compression_error,
         "a header block that cannot be read"},
        {raw(headers, frame_flag::end_headers, 1, "\x40"), h2_code::compression_error,
         "a header block that ends in a field"},
        {raw(headers, 0, 1, no_header) + raw(ping, 0, 0, "12345678"), h2_code::protocol_error,
         "a frame between HEADERS and CONTINUATION"},
        {raw(headers, 0, 1, no_header) + raw(continuation, frame_flag::end_headers, 3, ""),
         h2_code::protocol_error, "CONTINUATION of another stream"},
        {raw(headers, 0, 1, no_header) + raw(continuation, 0, 1, ""), h2_code::enhance_your_calm,
         "an empty CONTINUATION"},
        {raw(continuation, frame_flag::end_headers, 1, no_header), h2_code::protocol_error,
         "CONTINUATION of nothing"},
        {raw(rst_stream, 0, 0, u32(8)), h2_code::protocol_error, "RST_STREAM of the connection"},
        {raw(rst_stream, 0, 5, u32(8)), h2_code::protocol_error, "RST_STREAM of a stream nobody opened"},
        {raw(rst_stream, 0, 1, "abc"), h2_code::frame_size_error, "RST_STREAM cut short"},
        {raw(settings, 0, 1, ""), h2_code::protocol_error, "SETTINGS of a stream"},
        {raw(settings, 0, 0, "12345"), h2_code::frame_size_error, "a setting cut short"},
        {raw(settings, frame_flag::ack, 0, "123456"), h2_code::frame_size_error,
         "an ACK that says something"},
        {raw(settings, 0, 0, one_setting(setting::enable_push, 1)), h2_code::protocol_error, "push"},
        {raw(settings, 0, 0, one_setting(setting::initial_window_size, 0x8000'0000)),
         h2_code::flow_control_error, "an initial window above 2^31 - 1"},
        {raw(settings, 0, 0, one_setting(setting::max_frame_size, 100)), h2_code::protocol_error,
         "frames below 16,384"},
        {raw(push_promise, frame_flag::end_headers, 1, u32(2) + no_header), h2_code::protocol_error,
         "PUSH_PROMISE"},
        {raw(ping, 0, 1, "12345678"), h2_code::protocol_error, "PING of a stream"},
        {raw(ping, 0, 0, "1234567"), h2_code::frame_size_error, "PING cut short"},
        {raw(goaway, 0, 1, u32(0) + u32(0)), h2_code::protocol_error, "GOAWAY of a stream"},
        {raw(goaway, 0, 0, u32(0)), h2_code::frame_size_error, "GOAWAY cut short"},
        {raw(window_update, 0, 0, u32(0)), h2_code::protocol_error, "a window update of nothing"},
        {raw(window_update, 0, 0, u32(0x7fff'ffff)), h2_code::flow_control_error, "a window above 2^31 - 1"},
        {raw(window_update, 0, 11, u32(1)), h2_code::protocol_error, "a window of a stream nobody opened"},
        {raw(window_update, 0, 0, "abc"), h2_code::frame_size_error, "WINDOW_UPDATE cut short"},
        {raw(priority, 0, 1, "1234"), h2_code::frame_size_error, "PRIORITY cut short"},
    };
    for (const offence& each : offences) {
        SCOPED_TRACE(each.what);
        client = {};
        restart({});
        exchange();
        post();
        post();
        send();
        EXPECT_EQ(session_->feed(each.bytes, time.now()), http2_errc::protocol_violation);
        EXPECT_EQ(last_words(session_->output()), each.answer);
        EXPECT_FALSE(session_->accepting());
        EXPECT_FALSE(session_->alive());
        session_->fail_all(http2_errc::connection_lost);
        EXPECT_EQ(client.count(failure::unknown), 2U);
    }
}

TEST_F(Http2SessionTest, BreachesOfAStreamsRulesCostThatStreamAlone) {
    using enum frame_type;
    const auto block = [](std::string_view fields, std::uint8_t flags = 0) {
        return raw(headers, static_cast<std::uint8_t>(frame_flag::end_headers | flags), 1, fields);
    };
    using namespace std::string_view_literals;
    const std::vector<std::pair<std::string, const char*>> offences{
        {raw(data, 0, 1, "x"), "a body before the header"},
        {block("\x00\x01x\x01y"sv, frame_flag::end_stream), "no status"},
        {block("\x88\x88"sv, frame_flag::end_stream), "two statuses"},
        {block("\x00\x07:status\x03\x31\x30\x31"sv), "101"},
        {block("\x00\x07:status\x03\x31\x30\x33"sv, frame_flag::end_stream),
         "an interim answer, and the end"},
        {block("\x00\x07:status\x02\x32\x30"sv, frame_flag::end_stream), "a status of two digits"},
        {block("\x88\x00\x05Upper\x01x"sv, frame_flag::end_stream), "upper case"},
        {block(
             "\x88\x00\x0a"
             "connection\x05"
             "close"sv,
             frame_flag::end_stream),
         "a field of the connection"},
        {block("\x82\x88"sv, frame_flag::end_stream), "a request's field"},
        {block("\x88"sv) + raw(headers, frame_flag::end_headers, 1, "\x00\x01x\x01y"sv), "a second header"},
        {block("\x88"sv) + raw(data, frame_flag::none, 1, "x") +
             raw(headers, frame_flag::end_headers | frame_flag::end_stream, 1, "\x88"sv),
         "a status in the trailers"},
        {raw(window_update, 0, 1, u32(0)), "a window update of nothing"},
        {raw(window_update, 0, 1, u32(0x7fff'ffff)), "a window above 2^31 - 1"},
    };
    for (const auto& [bytes, what] : offences) {
        SCOPED_TRACE(what);
        client = {};
        restart({});
        exchange();
        const auto broken = post();
        const auto fine = post();
        send();
        EXPECT_FALSE(session_->feed(bytes, time.now()));
        EXPECT_EQ(client.outcomes[broken].failures, 1U);
        EXPECT_EQ(client.outcomes[broken].why, failure::unknown);
        EXPECT_EQ(client.outcomes[broken].answers, 0U);
        server->respond(3, "200");
        exchange();
        EXPECT_EQ(client.outcomes[fine].status, 200);
        // A stream that the peer has ended itself needs no reset.
        EXPECT_EQ(server->requests().at(1).reset, !ends_stream(bytes));
        EXPECT_TRUE(session_->accepting());
    }
}

TEST_F(Http2SessionTest, WhateverComesBeforeTheSettingsEndsTheConnection) {
    restart({});
    EXPECT_EQ(
        session_->feed(raw(frame_type::ping, 0, 0, "12345678"), time.now()), http2_errc::protocol_violation);
}

TEST_F(Http2SessionTest, APeerThatMakesUsAnswerWithoutEndIsLeft) {
    exchange();
    std::string pings;
    for (int i = 0; i < 2'000; ++i) {
        pings += raw(frame_type::ping, 0, 0, "12345678");
    }
    EXPECT_EQ(session_->feed(pings, time.now()), http2_errc::protocol_violation);
    EXPECT_EQ(last_words(session_->output()), h2_code::enhance_your_calm);
}

TEST_F(Http2SessionTest, AHeaderBlockWithoutEndIsLeft) {
    exchange();
    post();
    send();
    std::string block = raw(frame_type::headers, 0, 1, "\x88");
    for (int i = 0; i < 10; ++i) {
        block += raw(frame_type::continuation, 0, 1, std::string(10'000, '\0'));
    }
    EXPECT_EQ(session_->feed(block, time.now()), http2_errc::protocol_violation);
    EXPECT_EQ(last_words(session_->output()), h2_code::enhance_your_calm);
}

TEST_F(Http2SessionTest, AHeaderInSeveralFramesWithPaddingAndPriorityIsRead) {
    exchange();
    const auto index = post();
    exchange();
    using namespace std::string_view_literals;
    server->send_raw(
        raw(frame_type::headers, frame_flag::end_stream | frame_flag::padded | frame_flag::priority, 1,
            "\x02\x00\x00\x00\x00\x10\x88\x00\x00"sv));
    server->send_raw(raw(frame_type::continuation, 0, 1, "\x00\x0bretry-"sv));
    server->send_raw(raw(frame_type::continuation, frame_flag::end_headers, 1, "after\x01\x37"sv));
    exchange();
    EXPECT_EQ(client.outcomes[index].status, 200);
    EXPECT_EQ(client.outcomes[index].retry_after, "7");
}

TEST_F(Http2SessionTest, AFloodOfFramesThatCostThePeerNothingEndsTheConnection) {
    using enum frame_type;
    for (const std::string& cheap :
         {raw(ping, frame_flag::ack, 0, std::string(8, 'p')), raw(priority, 0, 1, std::string(5, '\0')),
          raw(static_cast<frame_type>(0xee), 0, 1, "x"), raw(window_update, 0, 0, u32(1)),
          raw(data, 0, 1, "")}) {
        restart({.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000}}});
        exchange();
        post();
        exchange();
        error_code ended;
        for (int i = 0; i < 10 && !ended; ++i) {
            std::string many;
            for (int n = 0; n < 500; ++n) {
                many += cheap;
            }
            ended = session_->feed(many, time.now());
        }
        EXPECT_EQ(ended, http2_errc::protocol_violation);
        EXPECT_EQ(last_words(session_->output()), h2_code::enhance_your_calm);
    }
}

TEST_F(Http2SessionTest, AFewFramesASecondAndForEachRequestAreNoFlood) {
    exchange();
    for (int second = 0; second < 100; ++second) {
        for (int n = 0; n < 200; ++n) {
            ASSERT_FALSE(session_->feed(raw(frame_type::window_update, 0, 0, u32(1)), time.now()));
        }
        time.advance(std::chrono::seconds(1));
    }
    std::size_t answered = 0;
    for (int round = 0; round < 50; ++round) {
        const std::size_t count = post_all();
        exchange();
        for (std::size_t n = 0; n < 4 * count; ++n) {
            ASSERT_FALSE(session_->feed(raw(frame_type::window_update, 0, 0, u32(1)), time.now()));
        }
        for (; answered < client.outcomes.size(); ++answered) {
            server->respond(static_cast<std::int32_t>(2 * answered + 1), "200");
        }
        exchange();
    }
}

TEST_F(Http2SessionTest, FramesAndSettingsThatNobodyKnowsAreIgnored) {
    exchange();
    const auto index = post();
    exchange();
    server->send_raw(raw(static_cast<frame_type>(0xee), 0xff, 1, "whatever"));
    server->send_raw(raw(frame_type::settings, 0, 0, one_setting(static_cast<setting>(0xabcd), 7)));
    server->respond(1, "200");
    exchange();
    EXPECT_EQ(client.outcomes[index].status, 200);
}

TEST_F(Http2SessionTest, AHeaderLargerThanThePeerTakesIsNotSent) {
    restart({.settings = {{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 400}}});
    exchange();
    client.token = std::string(500, 't');
    const auto index = post();
    EXPECT_EQ(client.outcomes[index].why, failure::not_processed);
    EXPECT_EQ(client.outcomes[index].detail, http2_errc::header_too_large);
    client.token = "short";
    EXPECT_EQ(client.outcomes.count(post()), 0U) << "is on its way";
}

TEST_F(Http2SessionTest, ALastStreamThatRisesAgainBringsNothingBack) {
    exchange();
    for (int i = 0; i < 4; ++i) {
        post();
    }
    exchange();
    server->send_raw(raw(frame_type::goaway, 0, 0, u32(3) + u32(0)));
    server->send_raw(raw(frame_type::goaway, 0, 0, u32(7) + u32(0)));
    exchange();
    EXPECT_EQ(client.count(failure::not_processed), 2U);
    server->respond(7, "200");
    exchange();
    EXPECT_EQ(client.answered, 0U);
}

}  // namespace
}  // namespace tocsin::http2
