#include "tools/simulator/h2_session.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::sim {
namespace {

using fields = std::vector<std::pair<std::string, std::string>>;

const fields push{
    {":method", "POST"},
    {":scheme", "https"},
    {":path", "/3/device/00"},
    {":authority", "localhost"},
    {"apns-topic", "fr.example.mairies"}};

std::string frame(
    nghttp2_frame_type type, unsigned flags, std::int32_t stream, std::string_view payload = {}) {
    std::string out;
    append_head(out, payload.size(), type, flags, stream);
    return out += payload;
}

std::string number(std::uint32_t value) {
    std::string out;
    append_number(out, value);
    return out;
}

unsigned end(bool last) {
    return last ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE;
}

/// Answers every request with 200 and a body, and writes down what it is told.
class recorded_events final : public session_events {
public:
    void on_header(request&, std::string_view name, std::string_view value) noexcept override {
        headers.emplace_back(name, value);
    }
    void on_request(request& asked) noexcept override {
        bodies.emplace_back(asked.body);
        asked.set_status(200);
        asked.reply = reply;
        session->respond(asked);
    }
    void on_closed(request& asked) noexcept override { closed.push_back(asked.stream); }
    void on_limit_violated() noexcept override { ++violations; }
    void on_refused() noexcept override { ++refused; }
    void on_protocol_error(std::uint32_t code, bool stream_only) noexcept override {
        (stream_only ? stream_error : error) = code;
    }
    void on_idle_ping() noexcept override { ++idle_pings; }

    h2_session* session = nullptr;
    std::string_view reply;
    fields headers;
    std::vector<std::string> bodies;
    std::vector<std::int32_t> closed;
    unsigned violations = 0;
    unsigned refused = 0;
    unsigned idle_pings = 0;
    std::optional<std::uint32_t> error;
    std::optional<std::uint32_t> stream_error;
};

struct sent_frame {
    frame_head head;
    std::string payload;
};

class H2SessionTest : public ::testing::Test {
protected:
    H2SessionTest() {
        events.session = &session;
        nghttp2_hd_deflater* raw = nullptr;
        nghttp2_hd_deflate_new(&raw, 4096);
        deflater.reset(raw);
    }

    /// The preface, our SETTINGS, and an acknowledgement of the server's.
    void greet() {
        feed(std::string(NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN));
        feed(frame(NGHTTP2_SETTINGS, 0, 0));
        feed(frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0));
        output();
    }
    void feed(const std::string& bytes) { EXPECT_TRUE(session.feed(bytes)); }

    std::string block(const fields& list, bool index = true) {
        std::vector<nghttp2_nv> entries;
        for (const auto& [name, value] : list) {
            entries.push_back(
                {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                 reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                 static_cast<std::uint8_t>(index ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX)});
        }
        std::string out(nghttp2_hd_deflate_bound(deflater.get(), entries.data(), entries.size()), '\0');
        const ssize_t size = nghttp2_hd_deflate_hd(
            deflater.get(), reinterpret_cast<std::uint8_t*>(out.data()), out.size(), entries.data(),
            entries.size());
        out.resize(static_cast<std::size_t>(size));
        return out;
    }
    std::string headers(std::int32_t stream, const fields& list, bool last = false) {
        return frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | end(last), stream, block(list));
    }
    static std::string data(std::int32_t stream, std::string_view body, bool last = true) {
        return frame(NGHTTP2_DATA, end(last), stream, body);
    }

    std::vector<sent_frame> output() {
        std::string all;
        for (auto more = session.take_output(false); !more.empty(); more = session.take_output(false)) {
            all += more;
        }
        std::vector<sent_frame> out;
        for (std::size_t at = 0; at < all.size();) {
            const frame_head head = read_head(all.data() + at);
            out.push_back({head, all.substr(at + frame_head::bytes, head.size)});
            at += frame_head::bytes + head.size;
        }
        return out;
    }
    static std::string body_in(const std::vector<sent_frame>& frames) {
        std::string out;
        for (const auto& one : frames) {
            out += one.head.type == NGHTTP2_DATA ? one.payload : "";
        }
        return out;
    }

    request_pool pool;
    recorded_events events;
    session_settings settings{.streams = 3};
    h2_session session{settings, pool, events};
    c_handle<nghttp2_hd_deflater, nghttp2_hd_deflate_del> deflater;
};

TEST_F(H2SessionTest, ReadsARequestWhateverTheBytesArriveIn) {
    events.reply = "{}";
    const std::string all = std::string(NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN) +
                            frame(NGHTTP2_SETTINGS, 0, 0) + headers(1, push) + data(1, "body");
    for (const char c : all) {
        feed(std::string(1, c));
    }
    EXPECT_EQ(events.headers, push);
    EXPECT_EQ(events.bodies, std::vector<std::string>{"body"});
    EXPECT_EQ(body_in(output()), "{}");
    EXPECT_EQ(events.closed, std::vector<std::int32_t>{1});
}

TEST_F(H2SessionTest, RepeatedFieldsMeanTheSameUntilTheTableChanges) {
    greet();
    fields other = push;
    other[4].second = "fr.example.dijon";
    // Indexed, from the table, from the table again; then literals that are in no table, twice.
    for (const std::int32_t stream : {1, 3, 5}) {
        feed(headers(stream, push, true));
        output();
    }
    feed(headers(7, other, true));  // Enters the table, and moves what was there.
    output();
    feed(headers(9, push, true));
    output();
    for (const std::int32_t stream : {11, 13}) {
        feed(frame(
            NGHTTP2_HEADERS, static_cast<unsigned>(NGHTTP2_FLAG_END_HEADERS) | NGHTTP2_FLAG_END_STREAM,
            stream,
            block(
                {{":method", "POST"}, {":scheme", "https"}, {":path", "/x"}, {"authorization", "secret"}},
                false)));
        output();
    }
    fields expected;
    for (const fields& one : {push, push, push, other, push}) {
        expected.insert(expected.end(), one.begin(), one.end());
    }
    for (int i = 0; i < 2; ++i) {
        for (const auto& one : fields{
                 {":method", "POST"}, {":scheme", "https"}, {":path", "/x"}, {"authorization", "secret"}}) {
            expected.push_back(one);
        }
    }
    EXPECT_EQ(events.headers, expected);
    EXPECT_FALSE(events.error.has_value());
}

TEST_F(H2SessionTest, ABlockMayGoOnInContinuations) {
    greet();
    const std::string whole = block(push);
    feed(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, whole.substr(0, 5)));
    feed(frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, whole.substr(5)));
    EXPECT_EQ(events.headers, push);
    EXPECT_EQ(events.bodies.size(), 1U);
    feed(frame(NGHTTP2_HEADERS, 0, 3, block(push)));
    feed(frame(NGHTTP2_PING, 0, 0, "12345678"));
    EXPECT_EQ(events.error, std::uint32_t{NGHTTP2_PROTOCOL_ERROR});
}

TEST_F(H2SessionTest, AnswersKeepToTheWindowsOfTheClient) {
    const std::string reply(100, 'r');
    events.reply = reply;
    greet();
    const auto initial_window = [](std::uint32_t size) {
        std::string entry{'\0', NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE};
        return frame(NGHTTP2_SETTINGS, 0, 0, entry + number(size));
    };
    feed(initial_window(10));
    output();
    feed(headers(1, push, true));
    feed(headers(3, push, true));
    EXPECT_EQ(body_in(output()).size(), 20U);
    feed(frame(NGHTTP2_WINDOW_UPDATE, 0, 3, number(90)));
    EXPECT_EQ(body_in(output()).size(), 90U);
    EXPECT_EQ(events.closed, std::vector<std::int32_t>{3});
    feed(initial_window(100));
    EXPECT_EQ(body_in(output()).size(), 90U);
    EXPECT_EQ(events.closed, (std::vector<std::int32_t>{3, 1}));
}

TEST_F(H2SessionTest, GivesWindowBackByHalves) {
    greet();
    feed(headers(1, push));
    const std::string half(16'384, 'x');
    feed(data(1, half, false));
    EXPECT_TRUE(output().empty());
    feed(data(1, half, false));
    const auto frames = output();
    ASSERT_EQ(frames.size(), 2U);
    for (const auto& one : frames) {
        EXPECT_EQ(one.head.type, NGHTTP2_WINDOW_UPDATE);
        EXPECT_EQ(read_number(one.payload.data()), 32'768U);
    }
}

TEST_F(H2SessionTest, AnsweredStreamsCountUntilTheirAnswersAreTaken) {
    greet();
    for (const std::int32_t stream : {1, 3, 5, 7}) {
        feed(headers(stream, push, true));
    }
    EXPECT_EQ(events.bodies.size(), 3U);
    EXPECT_EQ(events.violations, 1U);
}

TEST_F(H2SessionTest, ALowerLimitRefusesUntilItIsAcknowledged) {
    greet();
    session.announce_streams(1);
    output();
    feed(headers(1, push));
    feed(headers(3, push));
    EXPECT_EQ(events.refused, 1U);
    EXPECT_EQ(events.violations, 0U);
    output();
    feed(frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0));
    feed(headers(5, push));
    EXPECT_EQ(events.violations, 1U);
}

TEST_F(H2SessionTest, TheClientMayGiveAStreamUp) {
    greet();
    feed(headers(1, push) + frame(NGHTTP2_RST_STREAM, 0, 1, number(NGHTTP2_CANCEL)));
    EXPECT_EQ(events.closed, std::vector<std::int32_t>{1});
    feed(data(1, "late"));  // Was on the way.
    EXPECT_FALSE(events.error.has_value());
    EXPECT_EQ(session.active(), 0U);
}

TEST_F(H2SessionTest, PingsAreAnsweredAndIdleOnesTold) {
    greet();
    feed(frame(NGHTTP2_PING, 0, 0, "12345678"));
    const auto frames = output();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].payload, "12345678");
    EXPECT_TRUE(frames[0].head.has(NGHTTP2_FLAG_ACK));
    EXPECT_EQ(events.idle_pings, 1U);
}

TEST_F(H2SessionTest, AGoodbyeEndsItWhenTheLastStreamHasEnded) {
    greet();
    feed(headers(1, push));
    feed(frame(NGHTTP2_GOAWAY, 0, 0, number(0) + number(0)));
    EXPECT_TRUE(session.alive());
    feed(data(1, "body"));
    output();
    EXPECT_FALSE(session.alive());
}

TEST_F(H2SessionTest, BytesOfAnotherProtocolAreNotRead) {
    EXPECT_FALSE(session.feed("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
}

/// What ends a connection: frames sent after the greeting and a complete request on stream 1.
struct breach {
    std::string_view name;
    std::string frames;
    nghttp2_error_code code;
};

void PrintTo(const breach& given, std::ostream* out) {
    *out << given.name;
}

class H2BreachTest : public H2SessionTest, public ::testing::WithParamInterface<breach> {};

TEST_P(H2BreachTest, EndsTheConnection) {
    greet();
    feed(headers(1, push, true));
    output();
    feed(GetParam().frames);
    EXPECT_EQ(events.error, std::uint32_t{GetParam().code});
    EXPECT_FALSE(session.alive());
    const auto frames = output();
    ASSERT_FALSE(frames.empty());
    EXPECT_EQ(frames.back().head.type, NGHTTP2_GOAWAY);
    EXPECT_EQ(read_number(frames.back().payload.data()), 1U);
    EXPECT_EQ(read_number(frames.back().payload.data() + 4), std::uint32_t{GetParam().code});
}

INSTANTIATE_TEST_SUITE_P(
    Rfc9113, H2BreachTest,
    ::testing::Values(
        breach{"EvenStream", frame(NGHTTP2_HEADERS, 5, 2, "\x83"), NGHTTP2_PROTOCOL_ERROR},
        breach{"DataBeforeHeaders", frame(NGHTTP2_DATA, 0, 5, "x"), NGHTTP2_PROTOCOL_ERROR},
        breach{"ResetBeforeHeaders", frame(NGHTTP2_RST_STREAM, 0, 5, number(8)), NGHTTP2_PROTOCOL_ERROR},
        breach{"WindowBeforeHeaders", frame(NGHTTP2_WINDOW_UPDATE, 0, 5, number(8)), NGHTTP2_PROTOCOL_ERROR},
        breach{"NoWindow", frame(NGHTTP2_WINDOW_UPDATE, 0, 0, number(0)), NGHTTP2_PROTOCOL_ERROR},
        breach{
            "WindowTooLarge", frame(NGHTTP2_WINDOW_UPDATE, 0, 0, number(0x7FFFFFFF)),
            NGHTTP2_FLOW_CONTROL_ERROR},
        breach{"ShortPing", frame(NGHTTP2_PING, 0, 0, "1234"), NGHTTP2_FRAME_SIZE_ERROR},
        breach{"OddSettings", frame(NGHTTP2_SETTINGS, 0, 0, "1234"), NGHTTP2_FRAME_SIZE_ERROR},
        breach{"SettingsNotAsked", frame(NGHTTP2_SETTINGS, 1, 0), NGHTTP2_PROTOCOL_ERROR},
        breach{"Continuation", frame(NGHTTP2_CONTINUATION, 4, 1, "\x83"), NGHTTP2_PROTOCOL_ERROR},
        breach{"Push", frame(NGHTTP2_PUSH_PROMISE, 4, 1, number(2)), NGHTTP2_PROTOCOL_ERROR},
        breach{"Padding", frame(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, "\x09x"), NGHTTP2_PROTOCOL_ERROR},
        breach{"Hpack", frame(NGHTTP2_HEADERS, 5, 3, "\xFE"), NGHTTP2_COMPRESSION_ERROR},
        breach{
            "HpackCutOff", frame(NGHTTP2_HEADERS, 5, 3, std::string("\x00\x05", 2)),
            NGHTTP2_COMPRESSION_ERROR},
        breach{
            "FrameTooLarge", frame(NGHTTP2_DATA, 0, 1, std::string(16'385, 'x')), NGHTTP2_FRAME_SIZE_ERROR}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(H2SessionTest, MoreThanTheConnectionsWindowEndsIt) {
    session.stall_windows(true);
    greet();
    const std::string piece(16'000, 'x');
    for (std::int32_t stream = 1; stream <= 9; stream += 2) {
        feed(headers(stream, push) + data(stream, piece));
        output();
    }
    EXPECT_EQ(events.error, std::uint32_t{NGHTTP2_FLOW_CONTROL_ERROR});
}

TEST_F(H2SessionTest, MoreThanTheStreamsWindowEndsTheStream) {
    greet();
    session.announce(10, std::nullopt);
    feed(frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0));
    output();
    feed(headers(1, push) + data(1, "eleven bytes"));
    EXPECT_EQ(events.stream_error, std::uint32_t{NGHTTP2_FLOW_CONTROL_ERROR});
    EXPECT_TRUE(events.bodies.empty());
    EXPECT_TRUE(session.alive());
}

struct malformed {
    std::string_view name;
    fields headers;
};

void PrintTo(const malformed& given, std::ostream* out) {
    *out << given.name;
}

class MalformedRequestTest : public H2SessionTest, public ::testing::WithParamInterface<malformed> {};

TEST_P(MalformedRequestTest, EndsItsStreamAlone) {
    greet();
    feed(headers(1, GetParam().headers));
    feed(data(1, "body"));
    EXPECT_EQ(events.stream_error, std::uint32_t{NGHTTP2_PROTOCOL_ERROR});
    EXPECT_TRUE(events.bodies.empty());
    const auto frames = output();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].head.type, NGHTTP2_RST_STREAM);
    feed(headers(3, push, true));
    EXPECT_EQ(events.bodies.size(), 1U);
}

fields with(const fields& more) {
    fields out = push;
    out.insert(out.end(), more.begin(), more.end());
    return out;
}

INSTANTIATE_TEST_SUITE_P(
    Rfc9113, MalformedRequestTest,
    ::testing::Values(
        malformed{"NoPath", {{":method", "POST"}, {":scheme", "https"}}},
        malformed{"EmptyPath", {{":method", "POST"}, {":scheme", "https"}, {":path", ""}}},
        malformed{"TwoPaths", {{":method", "POST"}, {":scheme", "https"}, {":path", "/"}, {":path", "/"}}},
        malformed{"LatePseudo", with({{":path", "/"}})},
        malformed{
            "UnknownPseudo", {{":color", "red"}, {":method", "POST"}, {":scheme", "https"}, {":path", "/"}}},
        malformed{"UpperCase", with({{"Apns-Id", "x"}})},
        malformed{"Connection", with({{"connection", "close"}})}, malformed{"Te", with({{"te", "gzip"}})},
        malformed{"LineBreak", with({{"x", "a\r\nb"}})},
        malformed{"LongValueWithNul", with({{"x", std::string(20, 'a') + '\0' + std::string(20, 'b')}})},
        malformed{"Space", with({{"x", " padded"}})},
        malformed{"ContentLength", with({{"content-length", "5"}})},
        malformed{"ContentLengthThatIsNone", with({{"content-length", "-4"}})}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(H2SessionTest, TabsAndTextOfAnyLanguageAreFine) {
    greet();
    feed(headers(1, with({{"x", "a\tb"}, {"y", "Évitez les quais"}, {"content-length", "0"}}), true));
    EXPECT_EQ(events.bodies.size(), 1U);
    EXPECT_FALSE(events.stream_error.has_value());
}

}  // namespace
}  // namespace tocsin::sim
