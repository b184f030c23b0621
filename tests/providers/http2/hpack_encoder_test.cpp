#include "providers/http2/hpack_encoder.hpp"

#include "providers/http2/header_decoder.hpp"
#include "providers/http2/hpack_static.hpp"

#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// Whatever the encoder writes, nghttp2's decoder must read as the same fields.

namespace tocsin::http2 {
namespace {

using fields = std::vector<std::pair<std::string, std::string>>;

class HpackEncoderTest : public ::testing::Test {
protected:
    /// The size of the block, once it was read back as what was written.
    std::size_t round_trip(const request& what) {
        byte_buffer block(16);
        encoder.encode(what, block);
        fields seen;
        EXPECT_TRUE(decoder.decode(block.view(), [&seen](std::string_view name, std::string_view value) {
            seen.emplace_back(name, value);
        }));
        fields meant;
        for (std::size_t i = 0; i < what.field_count; ++i) {
            meant.emplace_back(what.fields[i].name, what.fields[i].value);
        }
        EXPECT_EQ(seen, meant);
        EXPECT_LE(block.size(), hpack_encoder::bound(what));
        return block.size();
    }

    hpack_encoder encoder;
    header_decoder decoder;
};

TEST_F(HpackEncoderTest, EveryEntryOfTheStaticTableIsTheOneOfTheStandard) {
    for (const hpack_field& each : hpack_static_table) {
        request what;
        what.add(each.name, each.value);
        EXPECT_EQ(round_trip(what), 1U) << each.name;
    }
}

TEST_F(HpackEncoderTest, WhatRepeatsCostsOneByteAndACredentialIsNoException) {
    const std::string credential = "bearer " + std::string(1'000, 't');
    request what;
    what.add(":method", "POST");
    what.add(":authority", "push.test");
    what.add("authorization", credential);
    EXPECT_GT(round_trip(what), credential.size());
    EXPECT_EQ(round_trip(what), 3U);
}

TEST_F(HpackEncoderTest, WhatDiffersEachTimeNeverEntersTheTable) {
    for (int i = 0; i < 100; ++i) {
        const std::string path = "/3/device/" + std::to_string(i);
        const std::string id = "id-" + std::to_string(i);
        request what;
        what.add(":path", path, indexing::never);
        what.add("apns-id", id, indexing::never);
        what.add("apns-topic", "fr.example.app");
        const std::size_t size = round_trip(what);
        if (i != 0) {
            EXPECT_EQ(size, 2 + path.size() + 1 + 1 + std::string_view("apns-id").size() + 1 + id.size() + 1);
        }
    }
}

TEST_F(HpackEncoderTest, FieldsThatMoveToAnotherPlaceAreStillFoundInTheTable) {
    request what;
    what.add("apns-topic", "fr.example.app");
    what.add("apns-priority", "10");
    round_trip(what);
    request moved;
    moved.add("apns-priority", "10");
    moved.add("apns-topic", "fr.example.app");
    EXPECT_EQ(round_trip(moved), 2U);
}

TEST_F(HpackEncoderTest, FieldsLargerThanTheTableDoNotEmptyIt) {
    request small;
    small.add("apns-topic", "fr.example.app");
    round_trip(small);
    const std::string huge(5'000, 'x');
    request large;
    large.add("authorization", huge);
    round_trip(large);
    EXPECT_EQ(round_trip(small), 1U);
}

TEST_F(HpackEncoderTest, EmptyNamesAndValuesSurvive) {
    request what;
    what.add("x-empty", "");
    what.add(":path", "", indexing::never);
    round_trip(what);
    round_trip(what);
}

TEST_F(HpackEncoderTest, TheSmallestTableInBetweenIsTold) {
    request what;
    what.add("apns-topic", "fr.example.app");
    round_trip(what);
    encoder.set_table_limit(0);
    encoder.set_table_limit(4'096);
    // Two updates, and the field anew: the peer has dropped its table.
    EXPECT_GT(round_trip(what), std::string_view("fr.example.app").size());
    EXPECT_EQ(round_trip(what), 1U);
}

TEST_F(HpackEncoderTest, AnyHistoryOfFieldsAndTableSizesIsReadAsItWasWritten) {
    std::mt19937 random(11);
    const auto below = [&random](std::size_t end) {
        return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
    };
    std::vector<std::string> names;
    std::vector<std::string> values;
    for (std::size_t i = 0; i < 12; ++i) {
        names.push_back(i % 3 == 0 ? std::string(hpack_static_table[4 * i].name) : "x-" + std::to_string(i));
        values.emplace_back(below(900), static_cast<char>('a' + i));
    }
    for (int round = 0; round < 5'000; ++round) {
        if (below(20) == 0) {
            // As large as nghttp2's decoder takes without our saying so.
            encoder.set_table_limit(below(4'097));
        }
        request what;
        for (std::size_t i = 0, end = below(request::max_fields + 1); i < end; ++i) {
            what.add(
                names[below(names.size())], values[below(values.size())],
                below(5) == 0 ? indexing::never : indexing::keep);
        }
        round_trip(what);
        ASSERT_FALSE(HasFailure()) << "round " << round;
    }
}

}  // namespace
}  // namespace tocsin::http2
