#include "tools/tocsin/bench_import.hpp"

#include "tools/tocsin/console.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

constexpr std::size_t devices_at_once = 4'096;

class importer {
public:
    importer(device_store& store, const bench_plan& plan, const bench_mix& mix, interrupt_watch& interrupts)
        : store_(store), devices_(plan, mix), wanted_(plan.devices_registered()), interrupts_(interrupts) {}

    /// Two at a time: one batch is made while Redis works on the other.
    asio::awaitable<result<>> run() {
        using namespace asio::experimental::awaitable_operators;
        const auto [first, second] = co_await (some() && some());
        co_return first.has_error() ? first : second;
    }

private:
    asio::awaitable<result<>> some() {
        while (!interrupts_.arrived()) {
            auto batch = devices_.next(devices_at_once);
            if (batch.empty()) {
                break;
            }
            const std::size_t size = batch.size();
            const auto applied = co_await store_.apply(std::move(batch));
            if (applied.has_error()) {
                co_return applied.error();
            }
            done_ += size;
            show();
        }
        co_return result<>();
    }

    void show() {
        const double share = static_cast<double>(done_) / static_cast<double>(wanted_);
        const double seconds = std::chrono::duration<double>(steady::now() - begun_).count();
        const double rate = static_cast<double>(done_) / std::max(seconds, 0.001);
        progress_.show(fmt::format(
            "registering {} {:3.0f} %  {} devices  {}/s  {} left", progress_line::bar(share), share * 100,
            grouped(done_), grouped(static_cast<std::uint64_t>(rate)),
            spoken_ms(static_cast<double>(wanted_ - done_) / rate * 1'000)));
    }

    device_store& store_;
    bench_devices devices_;
    std::uint64_t wanted_;
    interrupt_watch& interrupts_;
    std::uint64_t done_ = 0;
    steady::time_point begun_ = steady::now();
    progress_line progress_;
};

}  // namespace

asio::awaitable<result<std::uint64_t>> redis_memory(redis_session& redis) {
    redis::request ask("INFO", "memory");
    const auto answer = co_await redis.redis().execute(std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    constexpr std::string_view label = "used_memory:";
    const std::string_view text = answer->front().text();
    const std::size_t at = text.find(label);
    std::uint64_t bytes = 0;
    if (at == std::string_view::npos ||
        std::from_chars(text.data() + at + label.size(), text.data() + text.size(), bytes).ec !=
            std::errc()) {
        co_return redis::redis_errc::unexpected_reply;
    }
    co_return bytes;
}

void import_bench_devices(
    redis_session& redis, device_store& store, const bench_plan& plan, const bench_mix& mix,
    interrupt_watch& interrupts) {
    importer work(store, plan, mix, interrupts);
    redis.run(work.run());
    if (interrupts.arrived()) {
        throw command_end(exit_interrupted);
    }
}

}  // namespace tocsin::cli
