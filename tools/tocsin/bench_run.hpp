#pragma once

#include "tools/tocsin/bench_plan.hpp"
#include "tools/tocsin/bench_record.hpp"
#include "tools/tocsin/interrupt_watch.hpp"
#include "tools/tocsin/session.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

/// Publishes events and watches them to their ends.
class bench_run {
public:
    bench_run(redis_session& redis, interrupt_watch& interrupts) : redis_(redis), interrupts_(interrupts) {}

    /// Publishes what `plan` has, at its pace, and returns when all of it has ended. `label` begins the
    /// progress line. Ends the command if an event is refused, nothing happens for too long, or it is
    /// interrupted.
    void perform(const bench_plan& plan, std::string_view label);
    /// What happened in the last perform(). The ledgers are only read now, when nothing is measured.
    [[nodiscard]] bench_record record();

private:
    struct flight {
        bench_event event;
        std::int64_t published_at = 0;
        std::uint64_t accepted = 0;
        bool ended = false;
    };

    void publish(const bench_event& event);
    void look();
    [[nodiscard]] bench_ending ending(const flight& of);

    redis_session& redis_;
    interrupt_watch& interrupts_;
    std::vector<flight> flights_;
    std::size_t ended_ = 0;
    std::string last_result_ = "0-0";
    std::uint64_t letters_ = 0;
    std::vector<bench_sample> timeline_;
    bool has_alert_ = false;
};

}  // namespace tocsin::cli
