#include "engine/audience/roster_codec.hpp"

#include <array>
#include <utility>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

territory place(std::string_view code, std::string zone = {}) {
    return {*parse_commune_id(code), std::move(zone)};
}

constexpr auto beginnings =
    std::to_array<token_beginning>({{"https://push.example.org/send/", ""}, {"", ""}});

device full_device() {
    device out;
    out.token = "token";
    out.is_fid = true;
    out.sandbox = true;
    out.registered_at = 4'000'000'000;
    out.locale = "fr-FR";
    out.mute = {"agenda", "voirie"};
    out.follow = {place("21054"), place("21231"), place("21231", "centre")};
    return out;
}

TEST(RosterCodec, KeepsEverythingOfADevice) {
    const device before = full_device();
    const auto after = decode_device(before.token, encode_roster_entry(before), before.follow[1]);
    ASSERT_TRUE(after.has_value());
    EXPECT_EQ(after->token, before.token);
    EXPECT_EQ(after->is_fid, before.is_fid);
    EXPECT_EQ(after->sandbox, before.sandbox);
    EXPECT_EQ(after->registered_at, before.registered_at);
    EXPECT_EQ(after->locale, before.locale);
    EXPECT_EQ(after->mute, before.mute);
    EXPECT_EQ(after->follow, before.follow);
}

TEST(RosterCodec, CostsFiveBytesForADeviceWithNothingUnusual) {
    device plain;
    plain.follow = {place("21231")};
    EXPECT_EQ(encode_roster_entry(plain).size(), 5U);
    const auto back = decode_device("t", encode_roster_entry(plain), place("21231"));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->follow, plain.follow);
}

TEST(RosterCodec, ARecordIsTheTokenOfAnyBytesAndLengthAndTheEntry) {
    const std::string entry = encode_roster_entry(full_device());
    for (const std::size_t length : {1U, 32U, 127U, 128U, 300U}) {
        const std::string token(length, '\0');
        const std::string record = encode_roster_record(token, entry, beginnings);
        EXPECT_EQ(record.size(), length + (length < 128 ? 1U : 2U) + entry.size());
        const auto back = decode_roster_record(record, beginnings);
        ASSERT_TRUE(back.has_value());
        EXPECT_EQ(back->token.whole(), token);
        EXPECT_EQ(back->entry, entry);
        EXPECT_FALSE(
            decode_roster_record(std::string_view(record).substr(0, length), beginnings).has_value());
    }
    EXPECT_FALSE(decode_roster_record("", beginnings).has_value());
    EXPECT_FALSE(decode_roster_record(encode_roster_record("", entry, beginnings), beginnings).has_value());
}

TEST(RosterCodec, MutesExactlyTheNamedCategories) {
    const std::string bytes = encode_roster_entry(full_device());
    const auto entry = decode_roster_entry(bytes);
    ASSERT_TRUE(entry.has_value());
    EXPECT_TRUE(entry->mutes("agenda"));
    EXPECT_TRUE(entry->mutes("voirie"));
    EXPECT_FALSE(entry->mutes("agend"));
    EXPECT_FALSE(entry->mutes(""));
}

TEST(RosterCodec, RefusesEveryTruncationAndUnknownFlags) {
    const std::string bytes = encode_roster_entry(full_device());
    for (std::size_t length = 0; length < 5; ++length) {
        EXPECT_FALSE(decode_roster_entry(std::string_view(bytes).substr(0, length)));
    }
    for (std::size_t length = 5; length < bytes.size(); ++length) {
        // May decode as something shorter, but never reads past its end (the sanitizers watch).
        static_cast<void>(decode_device("t", std::string(bytes, 0, length), place("21231")));
    }
    std::string future = bytes;
    future[0] = static_cast<char>(0x80);
    EXPECT_FALSE(decode_roster_entry(future));
    EXPECT_FALSE(decode_roster_entry(encode_roster_entry(device{}) + "x"));
}

TEST(RosterCodec, RoundTripsFollowLists) {
    const std::vector<territory> follow{place("01001"), place("2A004"), place("97105", "port")};
    EXPECT_EQ(decode_follows(encode_follows(follow)), follow);
    EXPECT_FALSE(decode_follows("\xFF"));
}

device browser() {
    device out;
    out.token = "https://push.example.org/send/dGVzdA:APA91bX";
    out.keys = std::string(80, 'k');
    out.follow = {place("21231")};
    return out;
}

TEST(RosterCodec, ABrowserIsItsKeysAsBytesAndWhatItsEndpointHasAlone) {
    const device before = browser();
    const std::string record = encode_roster_record(before, beginnings);
    EXPECT_EQ(record.size(), 1 + 1 + std::string("dGVzdA:APA91bX").size() + 5 + 80);
    const auto back = decode_roster_record(record, beginnings);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->token.whole(), before.token);
    EXPECT_EQ(encode_roster_record(before.token, back->entry, beginnings), record);
    const auto after = decode_device(back->token.whole(), back->entry, place("21231"));
    ASSERT_TRUE(after.has_value());
    EXPECT_EQ(after->token, before.token);
    EXPECT_EQ(after->keys, before.keys);
}

/// As browsers were written once: with the whole endpoint.
std::string record_of_before(const device& which) {
    std::string entry = encode_roster_entry(which);
    entry[0] = static_cast<char>(entry[0] & ~64);
    return static_cast<char>(which.token.size()) + which.token + entry;
}

TEST(RosterCodec, ABrowserOfBeforeIsReadAndNamedAsItWasWritten) {
    const std::string record = record_of_before(browser());
    const auto back = decode_roster_record(record, beginnings);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->token.whole(), browser().token);
    EXPECT_EQ(decode_device(back->token.whole(), back->entry, place("21231")).value().keys, browser().keys);
    EXPECT_EQ(encode_roster_record(browser().token, back->entry, beginnings), record);
}

TEST(RosterCodec, AnEndpointThatBeginsInAnUnknownWayIsRefused) {
    std::string record = encode_roster_record(browser(), beginnings);
    record[1] = '\x1F';
    EXPECT_FALSE(decode_roster_record(record, beginnings).has_value());
    device nowhere = browser();
    nowhere.token.clear();
    EXPECT_FALSE(decode_roster_record(encode_roster_record(nowhere, beginnings), beginnings).has_value());
}

}  // namespace
}  // namespace tocsin
