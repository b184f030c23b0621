#pragma once

#include "engine/event/publish_event.hpp"
#include "tools/simulator/options.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// What each command can be told, without a word about how it is spelt (command_line.cpp) or done.

namespace tocsin::cli {

/// For every command.
struct common_options {
    std::string config;  ///< --config; empty: where load_config() looks.
    std::vector<std::pair<std::string, std::string>> settings;  ///< "redis.url" and the like.
    bool json = false;
    bool show_tokens = false;
};

struct serve_options {};

struct publish_options {
    std::vector<std::string> to;
    std::string file;  ///< A whole event document, which the flags change; "-": standard input.
    std::string id, title, subtitle, body, category, priority, send_at, collapse_id, url, image, mode;
    std::optional<long> ttl, spread;
    std::vector<std::string> apps, data;
    bool watch = false;
};

struct send_options {
    std::string app, platform, token, title, body, priority;
    std::vector<std::string> data;
    bool sandbox = false;
    bool validate_only = false;
};

struct status_options {
    std::string event;
    bool watch = false;
};

struct report_options {
    std::string event;
};

struct cancel_options {
    std::string event;
    bool watch = false;
};

struct hold_options {
    bool hold = true;           ///< pause, or resume.
    std::string app, platform;  ///< Empty: all, both.
};

struct rate_options {
    std::string app, platform;
    std::uint64_t rate = 0;
};

struct devices_options {
    enum class action { import, export_, count, show, forget } what = action::count;
    std::string argument;  ///< File for import, token for show and forget.
};

struct dead_letters_options {
    enum class action { list, show, retry, drop } what = action::list;
    std::vector<std::string> ids;
    std::size_t limit = 20;
    bool all = false;
};

struct check_config_options {
    bool online = false;
};

struct sim_options {
    sim::simulator_options simulator;
    std::string behaviour;  ///< A JSON document as POST /behaviour takes it.
};

struct demo_options {
    std::string epci = "242100410";  ///< Dijon Métropole.
    double share = 0.35;             ///< Of the inhabitants, that follow their commune.
    double dead_share = 0.03;
    std::string keep;  ///< A directory to leave everything in; empty: a temporary one.
};

/// "cpu_per_million<3.0": what a figure of a benchmark's report has to be.
struct bench_assertion {
    enum class relation { less, at_most, more, at_least, equal };
    std::string figure;
    relation how = relation::less;
    double bound = 0;
};

struct bench_options {
    std::string scenario;
    double share = 1;                  ///< Of the scenario's devices, or of the village's events.
    double apns_share = 0.25;          ///< Of the devices; the others have FCM.
    std::string latency = "fixed:20";  ///< Of the simulator, as `sim --latency`.
    std::string answers = "batched";   ///< Of the simulator, as `sim --answers`.
    std::uint32_t rate = 0;            ///< Pushes per second that each provider is sent; 0: no limit.
    double events_per_second = 200;    ///< Village only.
    std::size_t threads = 0;           ///< Of the engine; 0: one per core.
    std::uint32_t simulator_threads = 1;
    std::string html;  ///< Receives the report as a page; empty: none.
    std::string keep;  ///< A directory to leave logs in; empty: a temporary one.
    std::vector<bench_assertion> assertions;
};

struct bench_compare_options {
    std::string before, after;  ///< Files that `bench --json` has written.
    double noise = 0.05;        ///< A change by less than this share is none.
};

struct command {
    common_options common;
    std::variant<
        serve_options, publish_options, send_options, status_options, report_options, cancel_options,
        hold_options, rate_options, devices_options, dead_letters_options, check_config_options, sim_options,
        demo_options, bench_options, bench_compare_options>
        what;
};

}  // namespace tocsin::cli
