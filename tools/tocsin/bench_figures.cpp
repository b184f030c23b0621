#include "tools/tocsin/bench_figures.hpp"

#include <algorithm>
#include <array>

namespace tocsin::cli {
namespace {

using enum better;

constexpr auto figures = std::to_array<bench_figure>({
    {"devices", neither, "devices that the events are for"},
    {"events", neither, "events published"},
    {"pushes", neither, "devices that have an outcome"},
    {"seconds", lower, "first event published to last result"},
    {"pushes_per_second", higher, "pushes over seconds"},
    {"cpu_per_million", lower, "CPU seconds of the engine per million pushes"},
    {"redis_cpu_per_million", lower, "CPU seconds of Redis per million pushes"},
    {"simulator_cpu_per_million", lower, "CPU seconds of the simulator per million pushes"},
    {"engine_cores", neither, "cores that the engine kept busy"},
    {"redis_cores", neither, "cores that Redis kept busy"},
    {"simulator_cores", neither, "cores that the simulator kept busy"},
    {"engine_queued_cores", neither, "cores that the engine was ready to use and did not get"},
    {"other_cores", neither, "cores that everything else on the machine kept busy"},
    {"peak_rss_bytes", lower, "most memory that the engine ever had"},
    {"first_push_ms", lower, "event published to first push accepted"},
    {"accepted_p50_ms", lower, "event published to push accepted, 50 %"},
    {"accepted_p90_ms", lower, "event published to push accepted, 90 %"},
    {"accepted_p99_ms", lower, "event published to push accepted, 99 %"},
    {"accepted_p100_ms", lower, "event published to push accepted, all"},
    {"push_p50_ms", lower, "push written to answer, 50 %"},
    {"push_p90_ms", lower, "push written to answer, 90 %"},
    {"push_p99_ms", lower, "push written to answer, 99 %"},
    {"event_p50_ms", lower, "event published to its last acceptance, 50 % of the events"},
    {"event_p99_ms", lower, "event published to its last acceptance, 99 % of the events"},
    {"event_p100_ms", lower, "event published to its last acceptance, the slowest event"},
    {"alert_devices", neither, "devices that the alert is for"},
    {"alert_first_push_ms", lower, "alert published to its first push accepted"},
    {"alert_p50_ms", lower, "alert published to push accepted, 50 %"},
    {"alert_p100_ms", lower, "alert published to push accepted, all"},
    {"bytes_per_push", lower, "bytes on the wire, both ways, TLS included"},
    {"bytes_sent_per_push", lower, "bytes on the wire to the providers, TLS included"},
    {"syscalls_per_push", lower, "system calls of the engine"},
    {"redis_bytes_per_device", lower, "memory of Redis for a device"},
    {"connections", neither, "open connections to the providers at the end"},
    {"retries", lower, "pushes tried again"},
    {"possible_duplicates", lower, "pushes that may have arrived twice"},
    {"throttled_seconds", neither, "time that a lane was held back by a rate or quota"},
    {"import_seconds", neither, "registering the devices"},
});

}  // namespace

std::span<const bench_figure> bench_figures() noexcept {
    return figures;
}

const bench_figure* find_bench_figure(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(figures, name, &bench_figure::name);
    return found == figures.end() ? nullptr : found;
}

}  // namespace tocsin::cli
