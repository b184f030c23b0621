#include "engine/audience/roster_codec.hpp"
#include "engine/delivery/page.hpp"
#include "engine/redis/reply_reader.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace tocsin {
namespace {

std::string bulk(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

/// HVALS of one bucket of `devices` FCM devices, of which each follows `follows` communes.
std::string bucket_reply(std::size_t devices, std::size_t follows) {
    std::string out = "*" + std::to_string(devices) + "\r\n";
    for (std::size_t i = 0; i < devices; ++i) {
        device one;
        one.token = std::string(140, 'x') + std::to_string(100'000 + i);
        for (std::size_t f = 0; f < follows; ++f) {
            one.follow.push_back({*parse_commune_id(std::to_string(21'231 + f)), {}});
        }
        out += bulk(encode_roster_record(one, no_common_beginning));
    }
    return out;
}

redis::replies parse(const std::string& bytes, std::size_t replies) {
    redis::reply_reader reader;
    redis::replies out;
    std::size_t complete = 0;
    for (std::size_t at = 0; at < bytes.size(); at += redis::reply_reader::chunk_size) {
        reader.feed(std::string_view(bytes).substr(at, redis::reply_reader::chunk_size));
        while (complete < replies && reader.next(out).value() == redis::reply_reader::progress::complete) {
            ++complete;
        }
    }
    return out;
}

// From the bytes of Redis to the pushes of a page, deduplication included.
void BM_Page_ReadAndFill(benchmark::State& state) {
    constexpr std::size_t devices = 50;
    std::string bytes;
    for (std::uint32_t b = 0; b < buckets_per_page; ++b) {
        bytes += bucket_reply(devices, static_cast<std::size_t>(state.range(0)));
    }
    auto shard = std::make_shared<active_shard>();
    shard->event = std::make_shared<active_event>();
    shard->which = {"mairies", platform::fcm};
    shard->pages = 1;
    const std::vector<bucket_run> runs{{{*parse_commune_id("21231"), {}}, 1, 0, buckets_per_page}};
    for (auto _ : state) {
        page made(shard, 0, time_point{});
        made.fill(parse(bytes, buckets_per_page), 0, runs, no_common_beginning, nullptr);
        benchmark::DoNotOptimize(made.pushes().data());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(devices * buckets_per_page));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK(BM_Page_ReadAndFill)->ArgName("follows")->Arg(1)->Arg(3);

// From the last acceptance of a page to what the ledger is told.
void BM_Page_AcceptAndSettle(benchmark::State& state) {
    constexpr std::size_t devices = 1'000;
    auto shard = std::make_shared<active_shard>();
    shard->event = std::make_shared<active_event>();
    shard->which = {"mairies", platform::fcm};
    shard->pages = 1;
    const std::string entry = encode_roster_entry(device{});
    for (std::size_t i = 0; i < devices; ++i) {
        shard->work.devices.push_back({21'231, "device-" + std::to_string(i), entry, 0, false, false});
    }
    for (auto _ : state) {
        page made(shard, 0, time_point{});
        made.fill_listed(nullptr);
        const auto start = std::chrono::steady_clock::now();
        std::int64_t latency = 20;
        for (push& item : made.pushes()) {
            made.accept(item, std::chrono::milliseconds(latency++ % 100));
        }
        benchmark::DoNotOptimize(made.settlement());
        state.SetIterationTime(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(devices));
}
BENCHMARK(BM_Page_AcceptAndSettle)->UseManualTime();

}  // namespace
}  // namespace tocsin
