#include "engine/ops/config_keys.hpp"

#include "engine/ops/config_row.hpp"

#include <algorithm>
#include <array>

namespace tocsin {
namespace {

using config_rows::as_path;
using config_rows::key;
using config_rows::none;
using config_rows::one_of;
using config_rows::required;
using config_rows::within;

// Large enough for anybody, small enough that adding to a time of day cannot overflow.
constexpr std::uint64_t ten_years = std::uint64_t{10} * 366 * 86'400 * 1'000;

constexpr std::string_view redis = "redis";
constexpr std::string_view engine = "engine";
constexpr std::string_view admin = "admin";
constexpr std::string_view log = "log";
constexpr std::string_view territories = "territories";
constexpr std::string_view quiet_hours = "quiet_hours";
constexpr std::string_view app = app_section;

constexpr auto sections = std::to_array<config_section>({
    {redis, "[redis]", "The one Redis that all engines share."},
    {engine, "[engine]", "The engine itself. Its defaults suit most."},
    {admin, "[admin]", "The HTTP server for health, metrics and the command line."},
    {log, "[log]", "The log, on standard error."},
    {territories, "[territories]", "Communes, their names and populations."},
    {quiet_hours, "[quiet_hours]",
     "The hours in which events wait, by the clock of each territory: metropolitan France, and each overseas "
     "department and collectivity. Without `from` and `to` there are none. They apply to an event if the "
     "lists have its `category` and its `priority`; an empty list stands for all. They never apply to "
     "critical events, nor to those with `\"quiet_hours\": \"ignore\"`. All engines need the same quiet "
     "hours."},
    {app, "[[app]]",
     "One block for each application: a mutualised app serves every commune, a dedicated app its own.",
     false},
});

constexpr auto log_levels = std::to_array<std::string_view>({"debug", "info", "warning", "error"});
constexpr auto log_formats = std::to_array<std::string_view>({"auto", "text", "json"});

constexpr auto keys = std::to_array<config_key>({
    key<&redis_settings::url>(
        redis, "url",
        "Where Redis is: `redis://host:port/db`, `rediss://` with TLS, `redis://user:password@host`, "
        "`unix:///path/to.sock?db=0`, a cluster at `redis+cluster://host:port,host:port`, or the master that "
        "Sentinels name: `redis+sentinel://host:port,host:port/master-name/db`. With TLS, these two are "
        "`rediss+…://`."),
    key<&redis_settings::prefix>(redis, "prefix", "All keys in Redis begin with this and a colon."),
    as_path(key<&redis_settings::ca_file>(
        redis, "ca_file", "Extra trust root (PEM) for `rediss…://`, beside the system's.", none)),
    as_path(key<&redis_settings::certificate_file>(
        redis, "certificate_file",
        "Client certificate chain (PEM) for `rediss…://`, if Redis asks for one (`tls-auth-clients`).",
        none)),
    as_path(key<&redis_settings::certificate_key_file>(
        redis, "certificate_key_file", "The certificate's private key (PEM). Mode 600.",
        "(required with `certificate_file`)")),

    key<&engine_settings::instance>(
        engine, "instance",
        "Name of this engine in the consumer group. Stable across restarts, different for each engine.",
        "the host name"),
    within(key<&engine_settings::threads>(engine, "threads", "Event loops. 0: one for each core."), 0, 1024),
    within(
        key<&engine_settings::shutdown_timeout>(
            engine, "shutdown_timeout",
            "The longest time from SIGTERM to the end: the engine waits for pushes in flight, and hands the "
            "rest to another."),
        0, 3'600'000),
    within(
        key<&engine_settings::pages_in_flight>(
            engine, "pages_in_flight",
            "Pages of some 1,000 devices that each thread works on at once, for each app and platform. A "
            "higher number is faster, takes more memory, and lets more devices be sent to twice after a "
            "crash."),
        1, 4096),
    within(
        key<&engine_settings::lease>(
            engine, "lease", "If an engine shows no sign of life for this long, others take over its work."),
        1'000, 3'600'000),
    within(
        key<&engine_settings::replica_wait>(
            engine, "replica_wait",
            "If Redis has replicas: how long a page may wait, before it is sent, until one of them knows "
            "that it is open. If no replica knows, a failover may repeat the page without counting it. 0: it "
            "does not wait."),
        0, 10'000),
    within(
        key<&engine_settings::max_attempts>(
            engine, "max_attempts",
            "Tries that a push may use up before it counts as failed. Tries that no provider has processed "
            "are not charged."),
        1, 100),
    within(
        key<&engine_settings::ramp_up>(
            engine, "ramp_up",
            "After a silence an app's `rate` begins at 1,000 pushes per second and reaches its full height "
            "over this time, over all engines; providers take a sudden flood for an attack. Critical events "
            "do not wait for it, and lower rates have no ramp. 0: none."),
        0, 3'600'000),
    within(
        key<&engine_settings::max_takeovers>(
            engine, "max_takeovers",
            "How often a shard may be taken up without any progress before it is set aside, because it seems "
            "to crash the engines that touch it. The event's result names it."),
        2, 1'000'000),
    within(
        key<&engine_settings::default_ttl>(
            engine, "default_ttl", "How long an event lives that has neither `ttl` nor `expires_at`."),
        1'000, ten_years),
    within(
        key<&engine_settings::results_max_length>(
            engine, "results_max_length", "Entries kept in the `results` and `reach` streams each, roughly."),
        1, std::numeric_limits<std::int64_t>::max()),
    within(
        key<&engine_settings::feedback_max_length>(
            engine, "feedback_max_length", "Entries kept in the `feedback` stream, roughly."),
        1, std::numeric_limits<std::int64_t>::max()),
    within(
        key<&engine_settings::dead_letters_max_length>(
            engine, "dead_letters_max_length", "Entries kept in the `dead-letters` stream, roughly."),
        1, std::numeric_limits<std::int64_t>::max()),
    within(
        key<&engine_settings::event_retention>(
            engine, "event_retention",
            "How long a finished event's id and sums are kept. An id that comes again in this time is not "
            "sent again."),
        60'000, ten_years),
    within(
        key<&engine_settings::receipts_window>(
            engine, "receipts_window",
            "How long after its result an event with `receipts` takes receipts; then its `reach` document is "
            "written. Later receipts become dead letters."),
        1'000, 28ULL * 86'400'000),
    within(
        key<&engine_settings::brake_floor>(
            engine, "brake_floor",
            "The brake on removals: up to this many devices of an app on a platform are removed on the "
            "provider's word, whatever their share. 0: any number."),
        0, 1'000'000'000),
    within(
        key<&engine_settings::brake_share>(
            engine, "brake_share",
            "The percentage of an event's certain answers that may be \"this device is gone\" before an "
            "operator is asked. Up to `brake_times` times the usual share, the operator is not asked "
            "either."),
        1, 100),
    within(
        key<&engine_settings::brake_times>(
            engine, "brake_times", "Up to this many times the app's usual share, the operator is not asked."),
        1, 100),
    within(
        key<&engine_settings::brake_first_share>(
            engine, "brake_first_share",
            "The same as `brake_share` for an app that has had fewer than 1,000 answers: an old database may "
            "well be half dead. Above this percentage the operator is always asked, whatever is usual."),
        1, 100),
    within(
        key<&engine_settings::removed_kept>(
            engine, "removed_kept",
            "How long devices that were removed on a provider's word can be brought back by `tocsin devices "
            "restore`. 0: not at all, and nothing is kept of them."),
        0, 90ULL * 86'400'000),

    key<&admin_settings::listen>(
        admin, "listen",
        "Address and port of `/livez`, `/readyz`, `/metrics` and `/api/v1/`; `\"\"` turns the server off. It "
        "asks for no password: keep it on a trusted network."),
    key<&admin_settings::hosts>(
        admin, "hosts",
        "Names under which `listen` is reached, beside addresses, names without a dot and private domains "
        "such as `.internal` and `.svc`; `*.example.org` stands for all names below it. A request for "
        "another name is refused, since it comes from a page of another site."),

    one_of(key<&log_settings::level>(log, "level", "The least important lines to write."), log_levels),
    one_of(
        key<&log_settings::format>(log, "format", "`auto` is text on a terminal and JSON lines elsewhere."),
        log_formats),

    as_path(key<&territories_settings::file>(
        territories, "file", "CSV with the columns `insee,name,population,department,epci`.",
        "the bundled one")),

    key<&quiet_hours_settings::from>(
        quiet_hours, "from", "When they begin: hours and minutes, such as `21:30`.", none),
    key<&quiet_hours_settings::to>(
        quiet_hours, "to",
        "When they end: waiting pushes leave from then on. A time earlier than `from` is on the next day.",
        none),
    key<&quiet_hours_settings::categories>(
        quiet_hours, "categories",
        "Which categories wait. An event without a category waits only if the list is empty."),
    key<&quiet_hours_settings::priorities>(
        quiet_hours, "priorities", "Which priorities wait: `high`, `normal`, `low`; never `critical`."),
    within(
        key<&quiet_hours_settings::spread>(
            quiet_hours, "spread",
            "The time over which waiting pushes leave, so that they do not all leave in the same second. An "
            "event with a `spread` of its own keeps that."),
        0, 3'600'000),

    key<&app_settings::id>(
        app, "id", "Name of the app in events, registrations and metrics: 1 to 64 of `A-Z a-z 0-9 . _ -`.",
        required),
    key<&app_settings::communes>(
        app, "communes", "INSEE codes of the communes that it serves, or `[\"*\"]` for all.", required),
});

std::string upper(std::string_view word) {
    std::string out(word);
    std::ranges::transform(
        out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return out;
}

}  // namespace

std::span<const config_section> engine_config_sections() noexcept {
    return sections;
}

std::span<const config_key> engine_config_keys() noexcept {
    return keys;
}

config_target part_of(settings& whole, std::string_view section) noexcept {
    if (section == redis) {
        return &whole.redis;
    }
    if (section == engine) {
        return &whole.engine;
    }
    if (section == admin) {
        return &whole.admin;
    }
    if (section == log) {
        return &whole.log;
    }
    if (section == territories) {
        return &whole.territories;
    }
    if (section == quiet_hours) {
        return &whole.quiet_hours;
    }
    return {};
}

std::string full_name(const config_key& key) {
    return std::string(key.section) + "." + std::string(key.name);
}

std::string environment_name(const config_key& key) {
    return "TOCSIN_" + upper(key.section) + "_" + upper(key.name);
}

}  // namespace tocsin
