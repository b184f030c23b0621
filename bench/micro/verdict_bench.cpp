#include "providers/apns/judgement.hpp"
#include "providers/fcm/judgement.hpp"

#include <string_view>

#include <benchmark/benchmark.h>

// What an answer other than "accepted" means: once per push that has one.

namespace tocsin {
namespace {

const wall_time now(std::chrono::milliseconds(1'795'000'000'000));

void BM_Apns_Verdict(benchmark::State& state) {
    apns::answer said;
    said.status = 410;
    said.body = R"({"reason":"Unregistered","timestamp":1794000000000})";
    for (auto _ : state) {
        const apns::judgement given(said, 0, now);
        benchmark::DoNotOptimize(given.what().action);
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(said.body.size()));
}
BENCHMARK(BM_Apns_Verdict);

void BM_Fcm_Verdict(benchmark::State& state) {
    fcm::answer said;
    said.status = 404;
    said.body = R"({"error":{"code":404,"message":"Requested entity was not found.","status":"NOT_FOUND",)"
                R"("details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError",)"
                R"("errorCode":"UNREGISTERED"}]}})";
    for (auto _ : state) {
        const fcm::judgement given(said, fcm::surroundings{}, 0, now);
        benchmark::DoNotOptimize(given.what().action);
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(said.body.size()));
}
BENCHMARK(BM_Fcm_Verdict);

// Once per push that FCM accepts.
void BM_Fcm_MessageName(benchmark::State& state) {
    const std::string_view body = "{\n  \"name\": \"projects/mairies-app/messages/0:1795000000000000\"\n}\n";
    for (auto _ : state) {
        benchmark::DoNotOptimize(fcm::message_name(body));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Fcm_MessageName);

}  // namespace
}  // namespace tocsin
