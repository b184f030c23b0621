#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/audience/roster_codec.hpp"
#include "engine/platform/platform.hpp"
#include "engine/redis/client.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::testing {

inline territory place(std::string_view code, std::string zone = {}) {
    return {*parse_commune_id(code), std::move(zone)};
}

inline device_change put(std::string token, std::vector<territory> follow, std::uint32_t registered_at = 1) {
    device_change out;
    out.app = "mairies";
    out.where = platform::fcm;
    out.which.token = std::move(token);
    out.which.follow = std::move(follow);
    out.which.registered_at = registered_at;
    std::ranges::sort(out.which.follow);
    return out;
}

inline device_change removal(std::string token) {
    device_change out = put(std::move(token), {});
    out.what = device_change::action::remove;
    return out;
}

/// How often each device of the app stands in a roster, whatever the roster.
inline std::map<std::string, int> roster_entries(
    boost::asio::io_context& loop, redis::client& redis, device_store& store) {
    std::map<std::string, int> out;
    const auto rosters = run_to_end(loop, store.all_rosters("mairies", platform::fcm)).value().rosters;
    for (const auto& roster : rosters) {
        for (std::uint32_t b = 0; b < roster.head.buckets; ++b) {
            redis::request ask;
            ask.add(
                "HVALS", store.keys().roster_bucket("mairies", platform::fcm, to_string(roster.where), 1, b));
            const auto records = run_to_end(loop, redis.execute(std::move(ask))).value();
            for (std::size_t i = 0; i < records.front().size(); ++i) {
                ++out[decode_roster_record(records.front()[i].text(), no_common_beginning)
                          .value()
                          .token.whole()];
            }
        }
    }
    return out;
}

}  // namespace tocsin::testing
