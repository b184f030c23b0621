#include "engine/delivery/lane_runner.hpp"

#include <utility>

namespace tocsin {

lane_runner::lane_runner(
    surroundings where, target which, const lane_settings& how, std::uint64_t seed, lane_events events)
    : here(std::move(where)),
      line(std::move(which), how, here.time, here.log, here.metrics, seed, std::move(events)),
      changed(here.executor, here.time),
      look(here.executor, here.time) {}

void lane_runner::open_channel(std::shared_ptr<provider> to) {
    through = std::move(to);
    now.gate = std::make_unique<channel_gate>(line);
    now.out = through->open({here.executor, here.thread, here.time, here.log, here.metrics, *now.gate});
}

void lane_runner::retire_channel() {
    if (now.out != nullptr) {
        now.gate->close();
        retiring.push_back(std::move(now));
        now = {};
    }
}

void lane_runner::drop_retired() {
    std::erase_if(retiring, [](const opened& old) { return old.out->statistics().in_flight == 0; });
}

void lane_runner::wake() const {
    if (now.out != nullptr) {
        now.out->wake();
    }
}

void lane_runner::prepare() const {
    if (now.out != nullptr) {
        now.out->prepare();
    }
}

void lane_runner::observe(bool thread_busy, time_point now_is) {
    bool used_up = false;
    if (now.out != nullptr) {
        const channel_statistics out = now.out->statistics();
        used_up = out.saturated || out.connections_ready == 0;
        if (through != nullptr && line.waiting() != 0) {
            const bool connected = out.connections_ready != 0 || out.in_flight != 0;
            line.observe_provider(through->credential().usable, connected, now_is);
        }
    }
    line.observe(used_up, thread_busy, now_is);
}

void lane_runner::count_connections() const {
    if (now.out == nullptr) {
        return;
    }
    const channel_statistics out = now.out->statistics();
    const target& which = line.which();
    const auto set = [&](std::string_view state, std::size_t amount) {
        here.metrics.gauge(metric::connections, {which.app, to_string(which.on), state})
            .set(static_cast<double>(amount));
    };
    set("ready", out.connections_ready);
    set("connecting", out.connections_connecting);
    set("draining", out.connections_draining);
}

}  // namespace tocsin
