#include "engine/core/digest.hpp"
#include "engine/event/event_parser.hpp"
#include "providers/known_platforms.hpp"

#include <array>
#include <string>

#include <benchmark/benchmark.h>

namespace tocsin {
namespace {

// What a backend adds to the stream, from bytes to a validated event.
void BM_Event_Parse(benchmark::State& state) {
    const std::string document =
        R"({"id":"crue-ouche-2026-11-23","audience":["commune:21231","epci:242100410","zone:21231:centre"],)"
        R"("category":"alerte","priority":"critical","notification":{"title":"Crue de l'Ouche",)"
        R"("body":"Évitez les quais et les passages souterrains.","url":"https://www.dijon.fr/crue"},)"
        R"("data":{"article":"1234"},"localized":{"en":{"title":"Flood","body":"Avoid the quays."}},"ttl":3600})";
    const wall_time now(std::chrono::milliseconds(1'795'000'000'000));
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            parse_event(known_platforms(), document, "1795000000000-0", event_limits{}, now));
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(document.size()));
}
BENCHMARK(BM_Event_Parse);

// Once per push to APNs.
void BM_PushUuid_Derive(benchmark::State& state) {
    std::array<std::string, 64> tokens;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        tokens[i] = std::string(28, 'x') + std::to_string(1000 + i);
    }
    const std::uint64_t seed = event_seed("crue-ouche");
    std::string id(36, '\0');
    std::size_t i = 0;
    for (auto _ : state) {
        push_uuid(seed, tokens[i++ % tokens.size()], id.data());
        benchmark::DoNotOptimize(id);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_PushUuid_Derive);

// Once per registration, and never per push.
void BM_TokenHash_Compute(benchmark::State& state) {
    const std::string token(150, 'x');
    for (auto _ : state) {
        benchmark::DoNotOptimize(hash_token(token));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_TokenHash_Compute);

}  // namespace
}  // namespace tocsin
