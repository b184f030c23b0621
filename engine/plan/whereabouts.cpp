#include "engine/plan/whereabouts.hpp"

#include "engine/plan/ledger.hpp"
#include "engine/plan/shard_entry.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/streams.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;

constexpr std::size_t parked_per_read = 1'000;
constexpr std::size_t shards_per_read = 200;

/// What a member of a sorted set says of the device, if anything.
using scored_reader = std::function<std::optional<whereabouts>(std::string_view member, std::int64_t score)>;

/// The first that `read` finds something in.
asio::awaitable<result<std::optional<whereabouts>>> find_scored(
    redis::client& redis, std::string key, std::size_t per_read, scored_reader read) {
    for (std::size_t first = 0;; first += per_read) {
        redis::request ask("ZRANGE", key, first, first + per_read - 1, "WITHSCORES");
        const auto answer = co_await redis::execute_checked(redis, std::move(ask));
        if (answer.has_error()) {
            co_return answer.error();
        }
        const redis::reply members = answer->front();
        for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
            auto found = read(members[i].text(), members[i + 1].integer().value_or(0));
            if (found) {
                co_return found;
            }
        }
        if (members.size() < 2 * per_read) {
            co_return std::optional<whereabouts>();
        }
    }
}

scored_reader parked_devices(const std::string& token) {
    return [token](std::string_view member, std::int64_t score) -> std::optional<whereabouts> {
        const auto listed = decode_listed(member);
        const auto one = listed ? std::ranges::find(*listed, token, &listed_device::token)
                                : std::vector<listed_device>::const_iterator();
        if (!listed || one == listed->end()) {
            return std::nullopt;
        }
        // Several under one name are those whose answers are late: somebody is sending to them.
        const bool late = score >= late_score(wall_time());
        whereabouts out;
        out.stage = late ? page_stage::open : page_stage::parked;
        out.due = late ? wall_time() : wall_time(std::chrono::milliseconds(score));
        out.attempts = one->attempts;
        out.maybe_sent = one->maybe_sent;
        return out;
    };
}

scored_reader waiting_shards(const std::string& token, const std::optional<device_place>& place) {
    return [token, place](std::string_view member, std::int64_t score) -> std::optional<whereabouts> {
        const auto work = parse_waiting_shard(member);
        const auto page = work ? page_with(*work, token, place) : std::nullopt;
        if (!page) {
            return std::nullopt;
        }
        whereabouts out;
        out.stage = page_stage::not_begun;
        out.page = page;
        out.due = wall_time(std::chrono::milliseconds(score));
        return out;
    };
}

/// The page that has the device, of all shards that are not done; that of a retry before that of its roster.
asio::awaitable<result<std::optional<std::uint32_t>>> find_page(
    redis::client& redis, std::string key, std::string token, std::optional<device_place> place) {
    std::optional<std::uint32_t> out;
    std::string from = "-";
    for (;;) {
        redis::request ask("XRANGE", key, from, "+", "COUNT", shards_per_read);
        const auto answer = co_await redis::execute_checked(redis, std::move(ask));
        if (answer.has_error()) {
            co_return answer.error();
        }
        const auto entries = redis::parse_entries(answer->front());
        if (entries.has_error()) {
            co_return entries.error();
        }
        for (const redis::stream_entry& entry : *entries) {
            const auto work = entry.fields ? parse_shard(*entry.fields) : std::nullopt;
            const auto page = work ? page_with(*work, token, place) : std::nullopt;
            // A retry has a later number than every page of the plan.
            if (page && page > out) {
                out = page;
            }
            from = "(" + entry.id;
        }
        if (entries->size() < shards_per_read) {
            co_return out;
        }
    }
}

asio::awaitable<result<whereabouts>> look_at_page(
    redis::client& redis, keyspace keys, std::string event, std::uint32_t page) {
    redis::request ask("GETBIT", keys.settled(event), page);
    ask.add("BITFIELD", keys.opened(event), "GET", "u8", "#" + std::to_string(page));
    const auto answer = co_await redis::execute_checked(redis, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    whereabouts out;
    out.page = page;
    const redis::reply opened = answer->back();
    if (answer->front().integer() == 1) {
        out.stage = page_stage::settled;
    } else if (opened.size() == 1 && opened[0].integer().value_or(0) > 0) {
        out.stage = page_stage::open;
    } else {
        out.stage = page_stage::not_begun;
    }
    co_return out;
}

}  // namespace

std::optional<std::uint32_t> page_with(
    const shard& which, std::string_view token, const std::optional<device_place>& place) {
    if (std::ranges::find(which.devices, token, &listed_device::token) != which.devices.end()) {
        return which.first_page;
    }
    const token_hash hash = hash_token(token);
    if (std::ranges::find(which.hashed, hash, &hashed_device::which) != which.hashed.end()) {
        return which.first_page;
    }
    std::uint32_t buckets_before = 0;
    for (const bucket_run& run : which.runs) {
        if (place && run.where == place->where && run.generation == place->generation &&
            place->bucket >= run.first && place->bucket - run.first < run.count) {
            return which.first_page + (buckets_before + place->bucket - run.first) / buckets_per_page;
        }
        buckets_before += run.count;
    }
    return std::nullopt;
}

asio::awaitable<result<whereabouts>> find_whereabouts(
    redis::client& redis, keyspace keys, std::string event, target which, std::string token,
    std::optional<device_place> place) {
    const std::string name = to_string(which);
    // A retry that is due moves from the parked to the shards, and may be parked again; what waits for its
    // moment moves there when that comes: looked for in all, twice.
    for (int look = 0; look < 2; ++look) {
        scored_reader of_parked = parked_devices(token);
        auto parked =
            co_await find_scored(redis, keys.parked(event, name), parked_per_read, std::move(of_parked));
        if (parked.has_error()) {
            co_return parked.error();
        }
        if (*parked) {
            co_return **parked;
        }
        scored_reader of_waiting = waiting_shards(token, place);
        auto waiting =
            co_await find_scored(redis, keys.waiting(event, name), shards_per_read, std::move(of_waiting));
        if (waiting.has_error()) {
            co_return waiting.error();
        }
        if (*waiting) {
            co_return **waiting;
        }
        const auto page = co_await find_page(redis, keys.shards(event, name), token, place);
        if (page.has_error()) {
            co_return page.error();
        }
        if (*page) {
            const std::uint32_t number = **page;
            auto seen = co_await look_at_page(redis, keys, event, number);
            if (seen.has_error() || seen->stage != page_stage::settled) {
                co_return seen;
            }
        }
    }
    co_return whereabouts();
}

}  // namespace tocsin
