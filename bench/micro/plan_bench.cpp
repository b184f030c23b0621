#include "engine/audience/audience.hpp"
#include "engine/audience/territories.hpp"
#include "engine/event/event_parser.hpp"
#include "engine/event/selector.hpp"
#include "providers/apns/renderer.hpp"
#include "providers/fcm/renderer.hpp"
#include "providers/known_platforms.hpp"

#include <string>
#include <vector>

#include <benchmark/benchmark.h>

// Once per event: whom it is for, and what they are sent.

namespace tocsin {
namespace {

const wall_time now(std::chrono::milliseconds(1'795'000'000'000));

publish_event sample() {
    const std::string document =
        R"({"audience":["commune:21231"],"priority":"critical","notification":{"title":"Crue de l'Ouche",)"
        R"("body":"Évitez les quais et les passages souterrains.","url":"https://www.dijon.fr/crue"},)"
        R"("data":{"article":"1234"},"localized":{"en":{"title":"Flood","body":"Avoid the quays."}}})";
    return parse_event(known_platforms(), document, "1795000000000-0", event_limits{}, now).value();
}

void BM_Audience_Resolve(benchmark::State& state, const char* text) {
    const territories known = territories::load({}).value();
    const std::vector<selector> selectors{parse_selector(known_platforms(), text, "audience[0]").value()};
    std::size_t communes = 0;
    for (auto _ : state) {
        const audience whom = audience::resolve(known_platforms(), selectors, known).value();
        communes = whom.communes().size();
        benchmark::DoNotOptimize(communes);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(communes));
    state.SetLabel("items are communes");
}
BENCHMARK_CAPTURE(BM_Audience_Resolve, epci, "epci:242100410");
BENCHMARK_CAPTURE(BM_Audience_Resolve, everyone, "everyone");

void BM_Apns_Render(benchmark::State& state) {
    const publish_event event = sample();
    const apns::renderer render("mairies", "fr.example.mairies", false);
    std::size_t bytes = 0;
    for (auto _ : state) {
        const auto made = render.render(event).value();
        bytes = made->largest_payload();
        benchmark::DoNotOptimize(bytes);
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}
BENCHMARK(BM_Apns_Render);

void BM_Fcm_Render(benchmark::State& state) {
    const publish_event event = sample();
    const fcm::renderer render("mairies");
    std::size_t bytes = 0;
    for (auto _ : state) {
        const auto made = render.render(event, now).value();
        bytes = made->largest_payload();
        benchmark::DoNotOptimize(bytes);
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}
BENCHMARK(BM_Fcm_Render);

}  // namespace
}  // namespace tocsin
