#include "engine/plan/shard_entry.hpp"

#include "engine/redis/reply_reader.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

/// The fields of a stream's entry, as Redis answers them.
std::optional<shard> parsed_fields(const std::vector<std::string>& fields) {
    std::string wire = "*" + std::to_string(fields.size()) + "\r\n";
    for (const std::string& each : fields) {
        wire += "$" + std::to_string(each.size()) + "\r\n" + each + "\r\n";
    }
    redis::reply_reader reader;
    redis::replies all;
    reader.feed(wire);
    EXPECT_EQ(reader.next(all).value(), redis::reply_reader::progress::complete);
    return parse_shard(all.front());
}

shard of_runs() {
    shard out;
    out.first_page = 7;
    out.runs.push_back({{*parse_commune_id("21231"), "centre"}, 1, 3, 13});
    return out;
}
shard of_devices() {
    shard out;
    out.first_page = 8;
    out.devices.push_back({21'231, "abc", "entry", 2, true, true});
    out.devices.push_back({0, "def", "", 0, false, false});
    return out;
}
shard of_hashes() {
    shard out;
    out.first_page = 4'294'967'295;
    out.hashed.push_back({21'231, hash_token("abc")});
    return out;
}

TEST(ShardEntry, IsReadBackAsItWasWrittenInTheStreamAndAmongWhatWaits) {
    for (const shard& each : {of_runs(), of_devices(), of_hashes()}) {
        const auto [kind, bytes] = written(each);
        const std::string page = std::to_string(each.first_page);
        for (const auto& back :
             {parsed_fields({"page", page, std::string(kind), bytes}),
              parsed_fields({std::string(kind), bytes, "page", page}),
              parse_waiting_shard(page + ":" + std::string(kind) + ":" + bytes)}) {
            ASSERT_TRUE(back) << kind;
            EXPECT_EQ(back->first_page, each.first_page) << kind;
            EXPECT_EQ(back->runs, each.runs);
            EXPECT_EQ(back->devices, each.devices);
            EXPECT_EQ(back->hashed, each.hashed);
        }
    }
}

TEST(ShardEntry, WhatWeHaveNotWrittenIsNone) {
    const std::string runs = written(of_runs()).second;
    const std::vector<std::vector<std::string>> entries{
        {},
        {"page", "7"},
        {"runs", runs},
        {"page", "7", "pages", runs},
        {"page", "7", "runs", runs.substr(0, runs.size() - 1)},
        {"page", "7", "runs", "\xff\xff\xff"},
        {"page", "7", "devices", "\xff"},
        {"page", "7", "hashes", "short"},
        {"page", "", "runs", runs},
        {"page", "x", "runs", runs},
        {"page", "7x", "runs", runs},
        {"page", "-1", "runs", runs},
        {"page", "4294967296", "runs", runs},
        {"page", "7", "runs"},
    };
    for (const auto& each : entries) {
        EXPECT_FALSE(parsed_fields(each)) << ::testing::PrintToString(each);
    }
    for (const std::string& member :
         {std::string(), std::string("7"), std::string("7:runs"), ":runs:" + runs, "x:runs:" + runs,
          "4294967296:runs:" + runs, "7:pages:" + runs, "7:runs:" + runs + "x"}) {
        EXPECT_FALSE(parse_waiting_shard(member)) << member;
    }
}

}  // namespace
}  // namespace tocsin
