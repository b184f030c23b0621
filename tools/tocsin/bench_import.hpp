#pragma once

#include "tools/tocsin/bench_plan.hpp"
#include "tools/tocsin/interrupt_watch.hpp"
#include "tools/tocsin/session.hpp"

namespace tocsin::cli {

/// Registers every device of `plan` through the device store, with progress on a terminal. Ends the command
/// if it is interrupted.
void import_bench_devices(
    redis_session& redis, device_store& store, const bench_plan& plan, const bench_mix& mix,
    interrupt_watch& interrupts);

/// Bytes that Redis has in use, its own overhead included.
[[nodiscard]] boost::asio::awaitable<result<std::uint64_t>> redis_memory(redis_session& redis);

}  // namespace tocsin::cli
