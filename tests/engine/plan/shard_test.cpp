#include "engine/plan/shard.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

territory place(std::string_view code, std::string zone = {}) {
    return {*parse_commune_id(code), std::move(zone)};
}

std::vector<device_store::roster> some_rosters(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<device_store::roster> out;
    for (int i = 0; i < 200; ++i) {
        const std::string code = std::to_string(21'001 + i);
        out.push_back({place(code), {1, static_cast<std::uint32_t>(1 + random() % (i % 17 == 0 ? 900 : 6))}});
    }
    return out;
}

TEST(Shards, CoverEveryBucketExactlyOnceInPagesNumberedWithoutGaps) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto rosters = some_rosters(seed);
        std::map<std::pair<std::string, std::uint32_t>, int> covered;
        std::uint32_t next_page = 7;
        for (const shard& one : plan_rosters(rosters, 7)) {
            ASSERT_EQ(one.first_page, next_page);
            next_page += page_count(one);
            ASSERT_LE(page_count(one), pages_per_shard);
            for (std::uint32_t p = 0; p < page_count(one); ++p) {
                std::uint32_t buckets = 0;
                for (const bucket_run& run : runs_of_page(one, p)) {
                    buckets += run.count;
                    for (std::uint32_t b = run.first; b < run.first + run.count; ++b) {
                        ++covered[{to_string(run.where), b}];
                    }
                }
                ASSERT_GT(buckets, 0U);
                ASSERT_LE(buckets, buckets_per_page);
            }
        }
        std::size_t total = 0;
        for (const auto& roster : rosters) {
            total += roster.head.buckets;
        }
        ASSERT_EQ(covered.size(), total);
        for (const auto& [bucket, times] : covered) {
            ASSERT_EQ(times, 1);
        }
    }
}

TEST(Shards, OfATownAreSmallEnoughForThereToBeSomeForEveryEngine) {
    const std::vector<device_store::roster> dijon{{place("21231"), {1, 541}}};  // 42 pages.
    EXPECT_EQ(plan_rosters(dijon, 0).size(), 42U);
    const std::vector<device_store::roster> paris{{place("75056"), {1, 7'013}}};
    for (const shard& one : plan_rosters(paris, 0)) {
        EXPECT_LE(page_count(one), 8U);
    }
    EXPECT_EQ(shard_size(100'000), pages_per_shard);
}

TEST(Shards, AreReadBackAsWritten) {
    for (const shard& one : plan_rosters(some_rosters(3), 0)) {
        EXPECT_EQ(decode_runs(encode_runs(one.runs)), one.runs);
    }
    const listed_device listed{21231, "token", "entry", 3, true, true};
    const auto back = decode_listed(encode_listed(listed) + encode_listed(listed));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, (std::vector{listed, listed}));
}

TEST(Shards, RefuseBytesThatAreNotOne) {
    EXPECT_FALSE(decode_runs("\xFF"));
    EXPECT_FALSE(decode_runs(std::string_view("\x02\x01\x00\x00", 4)));  // A run of no buckets.
    EXPECT_FALSE(decode_listed("\x01\x50"));
    std::mt19937_64 random(9);
    const std::string good = encode_runs(plan_rosters(some_rosters(1), 0).front().runs);
    for (int i = 0; i < 5'000; ++i) {
        std::string bytes = good.substr(0, random() % good.size());
        if (!bytes.empty()) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        static_cast<void>(decode_runs(bytes));
        static_cast<void>(decode_listed(bytes));
    }
}

TEST(Shards, NameDevicesByTheThousand) {
    std::vector<listed_device> devices(2'500);
    const auto shards = plan_devices(std::move(devices), 4);
    ASSERT_EQ(shards.size(), 3U);
    EXPECT_EQ(shards[0].first_page, 4U);
    EXPECT_EQ(shards[2].first_page, 6U);
    EXPECT_EQ(shards[2].devices.size(), 500U);
    EXPECT_EQ(page_count(shards[2]), 1U);
}

TEST(Target, IsWrittenAsAppAndPlatform) {
    const target one{"mairies", platform::fcm};
    EXPECT_EQ(to_string(one), "mairies/fcm");
    EXPECT_EQ(parse_target("mairies/fcm"), one);
    EXPECT_FALSE(parse_target("mairies"));
    EXPECT_FALSE(parse_target("mairies/sms"));
}

TEST(Shard, HashedDevicesAreReadBackAsTheyWereWrittenAlsoEndToEnd) {
    std::vector<hashed_device> some;
    for (std::uint32_t i = 0; i < 5; ++i) {
        some.push_back({i < 3 ? 7U : 0U, hash_token("device-" + std::to_string(i))});
    }
    EXPECT_EQ(decode_hashed(encode_hashed(some)), some);
    const std::vector<hashed_device> front(some.begin(), some.begin() + 2);
    const std::vector<hashed_device> back(some.begin() + 2, some.end());
    EXPECT_EQ(decode_hashed(encode_hashed(front) + encode_hashed(back)), some);
    EXPECT_EQ(decode_hashed(""), std::vector<hashed_device>());
    const std::string whole = encode_hashed(some);
    EXPECT_EQ(decode_hashed(whole.substr(0, whole.size() - 1)), std::nullopt);
    EXPECT_EQ(decode_hashed("\x01\x7f"), std::nullopt);
}

TEST(Shard, HashedDevicesAreCutIntoPages) {
    std::vector<hashed_device> many;
    for (std::size_t i = 0; i < devices_per_page + 1; ++i) {
        many.push_back({1, hash_token("device-" + std::to_string(i))});
    }
    const auto shards = plan_hashed(many, 4);
    ASSERT_EQ(shards.size(), 2U);
    EXPECT_EQ(shards[1].first_page, 5U);
    EXPECT_EQ(shards[0].hashed.size(), devices_per_page);
    EXPECT_EQ(page_count(shards[1]), 1U);
}

}  // namespace
}  // namespace tocsin
