#include "providers/http2/frame_reader.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

std::string make_frame(frame_type type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
    std::string out(frame_head_size, '\0');
    write_frame_head(out.data(), payload.size(), type, flags, stream);
    return out.append(payload);
}

using seen = std::vector<std::pair<std::uint32_t, std::string>>;

/// What comes out when the bytes arrive `step` at a time.
seen read_in_steps(const std::string& bytes, std::size_t step) {
    frame_reader reader;
    seen out;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        const std::string piece = bytes.substr(at, step);  // Its own storage: gone after this round.
        reader.give(piece);
        for (frame next; reader.next(next) == frame_reader::outcome::frame;) {
            out.emplace_back(next.stream, next.payload);
        }
    }
    return out;
}

TEST(FrameReaderTest, FramesAreTheSameHoweverTheyArrive) {
    std::string bytes;
    seen meant;
    for (std::uint32_t i = 0; i < 20; ++i) {
        const std::string payload(i * i, static_cast<char>('a' + i));
        bytes += make_frame(frame_type::data, frame_flag::none, i, payload);
        meant.emplace_back(i, payload);
    }
    for (std::size_t step = 1; step < 64; ++step) {
        EXPECT_EQ(read_in_steps(bytes, step), meant) << "in steps of " << step;
    }
    EXPECT_EQ(read_in_steps(bytes, bytes.size()), meant);
}

TEST(FrameReaderTest, TypeFlagsAndStreamAreRead) {
    const std::string bytes = make_frame(frame_type::headers, frame_flag::end_headers, 0x7fff'ffff, "x");
    frame_reader reader;
    reader.give(bytes);
    frame out;
    ASSERT_EQ(reader.next(out), frame_reader::outcome::frame);
    EXPECT_EQ(out.type, frame_type::headers);
    EXPECT_TRUE(out.has(frame_flag::end_headers));
    EXPECT_FALSE(out.has(frame_flag::end_stream));
    EXPECT_EQ(out.stream, 0x7fff'ffffU);
    EXPECT_EQ(reader.next(out), frame_reader::outcome::starved);
}

TEST(FrameReaderTest, TheReservedBitOfTheStreamIsIgnored) {
    const std::string bytes = make_frame(frame_type::data, frame_flag::none, 0x8000'0003, "");
    frame_reader reader;
    reader.give(bytes);
    frame out;
    ASSERT_EQ(reader.next(out), frame_reader::outcome::frame);
    EXPECT_EQ(out.stream, 3U);
}

TEST(FrameReaderTest, AFrameAboveTheLimitIsSeenByItsHeadAlone) {
    std::string head(frame_head_size, '\0');
    write_frame_head(head.data(), largest_frame + 1, frame_type::data, frame_flag::none, 1);
    for (std::size_t step = 1; step <= frame_head_size; ++step) {
        frame_reader reader;
        frame out;
        auto last = frame_reader::outcome::starved;
        for (std::size_t at = 0; at < head.size(); at += step) {
            const std::string piece = head.substr(at, step);
            reader.give(piece);
            last = reader.next(out);
        }
        EXPECT_EQ(last, frame_reader::outcome::too_large);
    }
    const std::string largest =
        make_frame(frame_type::data, frame_flag::none, 1, std::string(largest_frame, 'x'));
    EXPECT_EQ(read_in_steps(largest, 1'000).size(), 1U);
}

}  // namespace
}  // namespace tocsin::http2
