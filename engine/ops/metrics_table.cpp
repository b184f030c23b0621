#include "engine/ops/metrics_table.hpp"

#include "engine/ops/process_metrics.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace tocsin {
namespace {

constexpr auto push_bounds =
    std::to_array<double>({0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60});
// An event to a whole country takes minutes, and its retries may take until its expiry.
constexpr auto event_bounds = std::to_array<double>(
    {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600, 14400});

constexpr auto table = std::to_array<metric_description>({
    {.id = metric::events_total,
     .name = "tocsin_events_total",
     .kind = metric_kind::counter,
     .help = "Publish events by how they ended: finished, cancelled, expired, failed, duplicate, refused.",
     .label_names = {"outcome"}},
    {.id = metric::pushes_total,
     .name = "tocsin_pushes_total",
     .kind = metric_kind::counter,
     .help = "Pushes by their final outcome: accepted, dead, rejected, expired, cancelled, muted, failed.",
     .label_names = {"app", "platform", "outcome"}},
    {.id = metric::provider_responses_total,
     .name = "tocsin_provider_responses_total",
     .kind = metric_kind::counter,
     .help = "Answers of the providers, as they came: HTTP status and the provider's own reason.",
     .label_names = {"app", "platform", "status", "reason"}},
    {.id = metric::retries_total,
     .name = "tocsin_retries_total",
     .kind = metric_kind::counter,
     .help = "Pushes that were tried again, by the reason why the previous try failed.",
     .label_names = {"app", "platform", "reason"}},
    {.id = metric::push_seconds,
     .name = "tocsin_push_seconds",
     .kind = metric_kind::histogram,
     .help = "From writing a push to the provider's answer.",
     .label_names = {"app", "platform"},
     .scale = 1e-6,
     .bounds = push_bounds},
    {.id = metric::event_seconds,
     .name = "tocsin_event_seconds",
     .kind = metric_kind::histogram,
     .help = "From reading an event to the last answer of its pushes.",
     .label_names = {"priority"},
     .scale = 1e-6,
     .bounds = event_bounds},
    {.id = metric::in_flight,
     .name = "tocsin_in_flight",
     .kind = metric_kind::gauge,
     .help = "Pushes written and not yet answered.",
     .label_names = {"app", "platform"}},
    {.id = metric::connections,
     .name = "tocsin_connections",
     .kind = metric_kind::gauge,
     .help = "Connections to the providers by state.",
     .label_names = {"app", "platform", "state"}},
    {.id = metric::throttled_seconds_total,
     .name = "tocsin_throttled_seconds_total",
     .kind = metric_kind::counter,
     .help = "Time in which a lane of one thread had something to send or in flight, by what bound it: "
             "engine, rate (the configured one), quota (the provider's), streams (the provider's streams and "
             "windows), credential, operator, redis, answers (everything is sent), provider (it answers "
             "nothing but errors).",
     .label_names = {"app", "platform", "cause"},
     .scale = 1e-6},
    {.id = metric::stream_lag,
     .name = "tocsin_stream_lag",
     .kind = metric_kind::gauge,
     .help = "Entries of a Redis stream that no engine has read yet.",
     .label_names = {"stream"},
     .merge = metric_merge::largest},
    {.id = metric::pending,
     .name = "tocsin_pending",
     .kind = metric_kind::gauge,
     .help = "Entries of a Redis stream that were read and not yet acknowledged, over all engines.",
     .label_names = {"stream"},
     .merge = metric_merge::largest},
    {.id = metric::dead_letters_total,
     .name = "tocsin_dead_letters_total",
     .kind = metric_kind::counter,
     .help = "Stream entries that were refused, by the class of the reason.",
     .label_names = {"reason"}},
    {.id = metric::redis_errors_total,
     .name = "tocsin_redis_errors_total",
     .kind = metric_kind::counter,
     .help = "Redis commands that failed and connections to Redis that were lost."},
    {.id = metric::clock_offset_seconds,
     .name = "tocsin_clock_offset_seconds",
     .kind = metric_kind::gauge,
     .help =
         "Seconds by which this host's clock is ahead of that of Redis; more than a few seconds is wrong.",
     .merge = metric_merge::largest},
    {.id = metric::credential_age_seconds,
     .name = "tocsin_credential_age_seconds",
     .kind = metric_kind::gauge,
     .help = "Age of the token that authenticates the app at its provider; the oldest over the threads.",
     .label_names = {"app", "platform"},
     .merge = metric_merge::largest},
    {.id = metric::canary_age_seconds,
     .name = "tocsin_canary_age_seconds",
     .kind = metric_kind::gauge,
     .help = "Time since the last `tocsin canary` that arrived in time; absent before the first.",
     .merge = metric_merge::largest},
    {.id = metric::registrations_total,
     .name = "tocsin_registrations_total",
     .kind = metric_kind::counter,
     .help = "Device registrations that were carried out, by operation.",
     .label_names = {"op"}},
    {.id = metric::receipts_total,
     .name = "tocsin_receipts_total",
     .kind = metric_kind::counter,
     .help = "Receipts by their fate: counted, repeated (their batch was counted before), refused.",
     .label_names = {"outcome"}},
    {.id = metric::receipt_devices_total,
     .name = "tocsin_receipt_devices_total",
     .kind = metric_kind::counter,
     .help = "Devices that receipts reported, by kind: received, displayed, opened.",
     .label_names = {"kind"}},
    {.id = metric::followers_outside,
     .name = "tocsin_followers_outside",
     .kind = metric_kind::gauge,
     .help =
         "Devices that follow a commune which the territories do not have, for example since it has merged: "
         "no event can name it. Counted at start and every ten minutes, once for each such commune or zone.",
     .label_names = {"app", "platform"},
     .merge = metric_merge::largest},
    {.id = metric::held_removals,
     .name = "tocsin_held_removals",
     .kind = metric_kind::gauge,
     .help = "Devices that a provider calls gone and that wait for an operator's decision, because they are "
             "far more than usual: `tocsin devices prune`. 0 if there is nothing to decide.",
     .label_names = {"app", "platform"},
     .merge = metric_merge::largest},
    {.id = metric::pages_total,
     .name = "tocsin_pages_total",
     .kind = metric_kind::counter,
     .help = "Pages of devices that were read from Redis, sent to and settled.",
     .label_names = {"app", "platform"}},
    {.id = metric::build_info,
     .name = "tocsin_build_info",
     .kind = metric_kind::gauge,
     .help = "Always 1; the labels say what is running.",
     .label_names = {"version", "commit"},
     .merge = metric_merge::largest},
});

constexpr bool rows_follow_the_enumeration() {
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (static_cast<std::size_t>(table[i].id) != i) {
            return false;
        }
    }
    return true;
}
static_assert(table.size() == metric_count && rows_follow_the_enumeration());
static_assert(std::ranges::all_of(table, [](const metric_description& row) {
    return (row.kind == metric_kind::histogram) == !row.bounds.empty() && std::ranges::is_sorted(row.bounds);
}));

std::string_view name_of(metric_kind kind) noexcept {
    switch (kind) {
        case metric_kind::counter: return "counter";
        case metric_kind::gauge: return "gauge";
        case metric_kind::histogram: return "histogram";
    }
    return "";
}

void append_row(
    std::string& page, std::string_view name, std::string_view kind, std::string_view labels,
    std::string_view help) {
    fmt::format_to(std::back_inserter(page), "| `{}` | {} | {} | {} |\n", name, kind, labels, help);
}

std::string bounds_text(std::span<const double> bounds) {
    std::string out;
    for (const double bound : bounds) {
        fmt::format_to(std::back_inserter(out), "{}{}", out.empty() ? "" : ", ", bound);
    }
    return out;
}

}  // namespace

std::span<const metric_description, metric_count> metric_table() noexcept {
    return table;
}

std::string metrics::reference_page() {
    std::string page =
        "# Metrics\n"
        "\n"
        "`GET /metrics` on the admin address answers in the Prometheus text format. Times are in seconds,\n"
        "memory in bytes. A series appears when its labels are first used; it is then there until the\n"
        "process ends. No label holds a commune, an event or a device token.\n"
        "\n"
        "The engine makes this page from the table that the endpoint itself uses.\n"
        "\n"
        "## Engine\n"
        "\n"
        "| metric | type | labels | meaning |\n"
        "|---|---|---|---|\n";
    for (const metric_description& row : table) {
        std::string labels;
        for (std::size_t i = 0; i < row.label_count(); ++i) {
            fmt::format_to(std::back_inserter(labels), "{}`{}`", i == 0 ? "" : ", ", row.label_names[i]);
        }
        append_row(page, row.name, name_of(row.kind), labels, row.help);
    }
    page +=
        "\n"
        "Each engine reports its own work, so add counters up over engines. `tocsin_stream_lag`,\n"
        "`tocsin_pending`, `tocsin_canary_age_seconds` and `tocsin_held_removals` describe Redis, which all "
        "engines\n"
        "share: take their maximum, not their sum.\n"
        "\n"
        "## Buckets\n"
        "\n"
        "| histogram | upper bounds in seconds |\n"
        "|---|---|\n";
    for (const metric_description& row : table) {
        if (row.kind == metric_kind::histogram) {
            fmt::format_to(
                std::back_inserter(page), "| `{}` | {}, +Inf |\n", row.name, bounds_text(row.bounds));
        }
    }
    page +=
        "\n"
        "Durations are kept with a precision of 1/16 (6.25 %). A duration that close to a bound counts as\n"
        "above it, so a quantile is never reported better than it was.\n"
        "\n"
        "## Process\n"
        "\n"
        "| metric | type | labels | meaning |\n"
        "|---|---|---|---|\n";
    for (const process_metric& row : process_metric_table()) {
        append_row(page, row.name, row.counter ? "counter" : "gauge", "", row.help);
    }
    return page;
}

}  // namespace tocsin
