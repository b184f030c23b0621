#include "tools/tocsin/bench_report.hpp"

#include "tools/tocsin/bench_charts.hpp"
#include "tools/tocsin/bench_figures.hpp"
#include "tools/tocsin/bench_latencies.hpp"
#include "tools/tocsin/bench_limit.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string_view>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t most_samples = 240;

// Six digits are more than any of it is good for.
json::value rounded(double value) {
    if (!std::isfinite(value)) {
        return nullptr;
    }
    if (value == 0) {
        return 0.0;
    }
    const double scale = std::pow(10.0, 5 - std::floor(std::log10(std::abs(value))));
    return std::round(value * scale) / scale;
}

std::uint64_t simulator_count(const json::object& stats, std::string_view name) {
    std::uint64_t sum = 0;
    for (const std::string_view provider : {"apns", "sandbox", "fcm", "webpush"}) {
        if (const auto* const counted = stats.if_contains(provider)) {
            sum += counted->at(name).to_number<std::uint64_t>();
        }
    }
    return sum;
}

std::uint64_t simulator_count(const bench_measurement& of, std::string_view name) {
    return simulator_count(of.after.simulator, name) - simulator_count(of.before.simulator, name);
}

std::vector<const bench_ending*> endings(const bench_measurement& of) {
    std::vector<const bench_ending*> out;
    for (const bench_ending& one : of.record.events) {
        out.push_back(&one);
    }
    if (of.record.alert) {
        out.push_back(&*of.record.alert);
    }
    return out;
}

template <class Count>
std::uint64_t sum_over(const bench_measurement& of, Count count) {
    std::uint64_t sum = 0;
    for (const bench_ending* const one : endings(of)) {
        sum += std::invoke(count, one->report);
    }
    return sum;
}

/// From an event's publication to the acceptance of each of its pushes.
bench_latencies accepted_after(const bench_ending& of) {
    bench_latencies out;
    out.add(
        of.report.latencies, static_cast<double>(of.report.accepted_at - of.published_at),
        static_cast<double>(of.report.finished_at - of.published_at));
    return out;
}

double seconds_of(const bench_measurement& of) {
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    std::int64_t last = 0;
    for (const bench_ending* const one : endings(of)) {
        first = std::min(first, one->published_at);
        last = std::max(last, one->report.finished_at);
    }
    return static_cast<double>(std::max<std::int64_t>(1, last - first)) / 1'000;
}

/// Whether events that came one after the other were done soon after the last of them had come: a
/// backlog that grew all the time is not.
bool kept_pace(const bench_measurement& of) {
    const auto& events = of.record.events;
    if (of.how.scenario != "village" || events.empty()) {
        return false;
    }
    std::int64_t last_ended = 0;
    for (const bench_ending& one : events) {
        last_ended = std::max(last_ended, one.report.finished_at);
    }
    const std::int64_t published_within = events.back().published_at - events.front().published_at;
    constexpr std::int64_t short_while_ms = 1'000;
    return last_ended - events.back().published_at <= std::max(short_while_ms, published_within / 10);
}

double seconds(std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
}

void add_latencies(json::object& out, const bench_measurement& of) {
    bench_latencies pushes;
    bench_latencies events;
    for (const bench_ending& one : of.record.events) {
        pushes.add(
            one.report.latencies, static_cast<double>(one.report.accepted_at - one.published_at),
            static_cast<double>(one.report.finished_at - one.published_at));
        events.add(accepted_after(one).quantile(1));
    }
    out["first_push_ms"] = rounded(pushes.quantile(0));
    out["accepted_p50_ms"] = rounded(pushes.quantile(0.50));
    out["accepted_p90_ms"] = rounded(pushes.quantile(0.90));
    out["accepted_p99_ms"] = rounded(pushes.quantile(0.99));
    out["accepted_p100_ms"] = rounded(pushes.quantile(1));
    out["accepted_percentiles"] = percentile_pairs(pushes);
    if (events.total() > 1) {
        out["event_p50_ms"] = rounded(events.quantile(0.50));
        out["event_p99_ms"] = rounded(events.quantile(0.99));
        out["event_p100_ms"] = rounded(events.quantile(1));
    }
    if (of.record.alert) {
        const bench_latencies alert = accepted_after(*of.record.alert);
        out["alert_devices"] = of.record.alert->event.devices;
        out["alert_first_push_ms"] = rounded(alert.quantile(0));
        out["alert_p50_ms"] = rounded(alert.quantile(0.50));
        out["alert_p100_ms"] = rounded(alert.quantile(1));
    }
}

json::array add_push_latencies(json::object& out, const bench_measurement& of) {
    const auto buckets = histogram_between(of.before.metrics, of.after.metrics, "tocsin_push_seconds");
    out["push_p50_ms"] = rounded(quantile_of(buckets, 0.50) * 1'000);
    out["push_p90_ms"] = rounded(quantile_of(buckets, 0.90) * 1'000);
    out["push_p99_ms"] = rounded(quantile_of(buckets, 0.99) * 1'000);
    json::array shown;
    for (const histogram_bucket& one : buckets) {
        shown.push_back(json::array{rounded(one.upper * 1'000), rounded(one.count)});
    }
    return shown;
}

/// Seconds by platform in which lanes were held back between the snapshots.
std::map<std::string, double> throttled(const bench_measurement& of) {
    constexpr std::string_view name = "tocsin_throttled_seconds_total";
    std::map<std::string, double> out;
    for (const std::string_view cause : {"rate", "quota"}) {
        for (const auto& [platform, time] : of.after.metrics.sum_by(name, "platform", {{"cause", cause}})) {
            out[platform] += time - of.before.metrics.sum(name, {{"cause", cause}, {"platform", platform}});
        }
    }
    return out;
}

json::array timeline(const bench_record& record) {
    json::array out;
    const std::size_t step = record.timeline.size() / most_samples + 1;
    for (std::size_t i = 0; i < record.timeline.size(); ++i) {
        if (i % step == 0 || i + 1 == record.timeline.size()) {
            out.push_back(json::array{rounded(record.timeline[i].ms), record.timeline[i].accepted});
        }
    }
    return out;
}

json::object settings_of(const bench_options& how) {
    return {
        {"share", how.share},
        {"apns_share", how.apns_share},
        {"webpush_share", how.webpush_share},
        {"devices", how.scenario == "cold-alert" ? json::value(how.devices) : json::value(nullptr)},
        {"dead_share", how.dead_share},
        {"priority", how.priority.empty() ? json::value(nullptr) : json::value(how.priority)},
        {"latency", how.latency},
        {"answers", how.answers},
        {"rate", how.rate},
        {"events_per_second",
         how.scenario == "village" ? json::value(how.events_per_second) : json::value(nullptr)},
        {"threads", how.threads},
        {"simulator_threads", how.simulator_threads}};
}

}  // namespace

std::vector<std::string> disagreements(const bench_measurement& of) {
    std::vector<std::string> out;
    const auto expect = [&out](bool holds, auto otherwise) {
        if (!holds) {
            out.push_back(otherwise());
        }
    };
    for (const bench_ending* const one : endings(of)) {
        const event_report& report = one->report;
        expect(report.state == event_state::finished, [&] {
            return fmt::format("event {} ended as {}", report.event, to_string(report.state));
        });
        expect(report.targeted == one->event.devices, [&] {
            return fmt::format(
                "event {} is for {} devices, {} were targeted", report.event, one->event.devices,
                report.targeted);
        });
        expect(report.ended() == report.targeted, [&] {
            return fmt::format(
                "event {}: {} devices targeted, {} have an outcome", report.event, report.targeted,
                report.ended());
        });
    }
    const auto accepted = sum_over(of, [](const event_report& one) { return one.count(outcome::accepted); });
    const auto twice = sum_over(of, [](const event_report& one) { return one.possible_duplicates; });
    const std::uint64_t seen = simulator_count(of, "tokens_accepted");
    const std::uint64_t repeated = simulator_count(of, "acceptances_repeated");
    expect(seen == accepted, [&] {
        return fmt::format("the engine says that {} devices accepted, the simulator {}", accepted, seen);
    });
    expect(repeated <= twice, [&] {
        return fmt::format(
            "the simulator was sent {} pushes twice, the engine says at most {}", repeated, twice);
    });
    return out;
}

boost::json::object bench_report(const bench_measurement& of) {
    const double time = seconds_of(of);
    const auto pushes = static_cast<double>(sum_over(of, &event_report::ended));
    const double engine = seconds(of.after.engine_cpu - of.before.engine_cpu);
    const double redis = seconds(of.after.redis_cpu - of.before.redis_cpu);
    const double simulator = seconds(of.after.simulator_cpu - of.before.simulator_cpu);
    const auto per_push = [pushes](double sum) { return rounded(sum / pushes); };
    const auto per_million = [pushes](double sum) { return rounded(sum / pushes * 1e6); };

    json::object out;
    out["scenario"] = of.how.scenario;
    for (const bench_figure& figure : bench_figures()) {
        out[figure.name] = nullptr;  // In the order in which people read them.
    }
    out["devices"] = of.devices;
    out["events"] = endings(of).size();
    out["pushes"] = static_cast<std::uint64_t>(pushes);
    out["seconds"] = rounded(time);
    out["pushes_per_second"] = rounded(pushes / time);
    out["cpu_per_million"] = per_million(engine);
    out["redis_cpu_per_million"] = per_million(redis);
    out["simulator_cpu_per_million"] = per_million(simulator);
    out["engine_cores"] = rounded(engine / time);
    out["redis_cores"] = rounded(redis / time);
    out["simulator_cores"] = rounded(simulator / time);
    if (of.peak_rss_bytes) {
        out["peak_rss_bytes"] = *of.peak_rss_bytes;
    }
    add_latencies(out, of);
    const json::array push_histogram = add_push_latencies(out, of);
    const auto sent = static_cast<double>(simulator_count(of, "bytes_in"));
    out["bytes_per_push"] = per_push(sent + static_cast<double>(simulator_count(of, "bytes_out")));
    out["bytes_sent_per_push"] = per_push(sent);
    if (of.before.syscalls && of.after.syscalls) {
        out["syscalls_per_push"] = per_push(static_cast<double>(*of.after.syscalls - *of.before.syscalls));
    }
    out["redis_bytes_per_device"] = rounded(of.redis_bytes_per_device);
    out["connections"] =
        static_cast<std::uint64_t>(of.after.metrics.sum("tocsin_connections", {{"state", "ready"}}));
    out["retries"] = sum_over(of, [](const event_report& one) { return one.retries; });
    out["possible_duplicates"] =
        sum_over(of, [](const event_report& one) { return one.possible_duplicates; });

    bench_load load;
    load.seconds = time;
    load.engine_cores = engine / time;
    load.redis_cores = redis / time;
    load.simulator_cores = simulator / time;
    load.engine_queued = seconds(of.after.engine_queued - of.before.engine_queued) / time;
    load.redis_queued = seconds(of.after.redis_queued - of.before.redis_queued) / time;
    load.simulator_queued = seconds(of.after.simulator_queued - of.before.simulator_queued) / time;
    const double busy = seconds(of.after.machine_busy - of.before.machine_busy);
    load.other_cores = std::max(0.0, (busy - engine - redis - simulator) / time);
    out["engine_queued_cores"] = rounded(load.engine_queued);
    out["other_cores"] = rounded(load.other_cores);
    load.cores = of.machine.cores;
    load.engine_threads = of.how.threads == 0 ? of.machine.cores : static_cast<unsigned>(of.how.threads);
    load.simulator_threads = of.how.simulator_threads;
    load.paced = kept_pace(of);
    double throttled_sum = 0;
    for (const auto& [platform, held] : throttled(of)) {
        throttled_sum += held;
        load.throttled_seconds = std::max(load.throttled_seconds, held / load.engine_threads);
    }
    out["throttled_seconds"] = rounded(throttled_sum);
    out["import_seconds"] = rounded(of.import_seconds);

    const bench_limit limit = find_limit(load);
    out["limit"] = limit.name;
    out["limit_reason"] = limit.reason;
    const auto problems = disagreements(of);
    out["sums_agree"] = problems.empty();
    out["problems"] = json::array(problems.begin(), problems.end());
    out["settings"] = settings_of(of.how);
    out["machine"] = json::object{{"cores", of.machine.cores}, {"processor", of.machine.processor}};
    out["version"] = of.version;
    out["timeline"] = timeline(of.record);
    out["push_histogram"] = push_histogram;
    return out;
}

}  // namespace tocsin::cli
