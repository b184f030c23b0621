#include "engine/ops/config_keys.hpp"

#include <algorithm>
#include <array>

namespace tocsin {
namespace {

using enum config_kind;

// Large enough for anybody, small enough that adding to a time of day cannot overflow.
constexpr std::uint64_t ten_years = std::uint64_t{10} * 366 * 86'400 * 1'000;

constexpr auto sections = std::to_array<config_section_description>({
    {config_section::redis, "redis", "[redis]", "The one Redis that all engines share."},
    {config_section::engine, "engine", "[engine]", "The engine itself. Its defaults suit most."},
    {config_section::admin, "admin", "[admin]", "The HTTP server for health, metrics and the command line."},
    {config_section::log, "log", "[log]", "The log, on standard error."},
    {config_section::territories, "territories", "[territories]", "Communes, their names and populations."},
    {config_section::quiet_hours, "quiet_hours", "[quiet_hours]",
     "The hours in which events wait, by the clock of each territory: metropolitan France, and each overseas "
     "department and collectivity. Without `from` and `to` there are none. An event falls under them if both "
     "lists hold its own `category` and `priority`; an empty list holds all. Critical events never do, nor "
     "those with `\"quiet_hours\": \"ignore\"`. All engines need the same."},
    {config_section::app, "app", "[[app]]",
     "One block an application: a mutualised one serves every commune, a dedicated one its own. Each has "
     "one or more of `[app.apns]`, `[app.fcm]` and `[app.webpush]`.",
     false},
    {config_section::apns, "app.apns", "[app.apns]",
     "The app at Apple. It authenticates with a signing key (`key_file`, `key_id`, `team_id`) or with a "
     "certificate (`certificate_file`, `certificate_key_file`).",
     false},
    {config_section::fcm, "app.fcm", "[app.fcm]", "The app at Google.", false},
    {config_section::webpush, "app.webpush", "[app.webpush]",
     "The app in browsers: whoever subscribed with the key of `vapid_key_file`.", false},
});

constexpr auto log_levels = std::to_array<std::string_view>({"debug", "info", "warning", "error"});
constexpr auto log_formats = std::to_array<std::string_view>({"auto", "text", "json"});

template <class Class, class Type>
struct member_of {
    using owner = Class;
    using type = Type;
};
template <class Class, class Type>
member_of<Class, Type> taken_apart(Type Class::*);

/// The type that a value has in a config_value.
template <class Type>
struct carried {
    using type = Type;
};
template <>
struct carried<std::size_t> {
    using type = std::uint64_t;
};

template <class Type>
constexpr config_kind kind_for() {
    if constexpr (std::is_same_v<Type, std::string>) {
        return text;
    } else if constexpr (std::is_same_v<Type, std::chrono::milliseconds>) {
        return interval;
    } else if constexpr (std::is_same_v<Type, std::vector<std::string>>) {
        return list;
    } else {
        return count;
    }
}

/// A row for the member of the settings that `Member` points to.
template <auto Member>
constexpr config_key key(
    config_section section, std::string_view name, std::string_view help,
    std::string_view default_text = {}) {
    using member = decltype(taken_apart(Member));
    using owner = typename member::owner;
    using value = typename carried<typename member::type>::type;
    return {
        .section = section,
        .name = name,
        .kind = kind_for<typename member::type>(),
        .help = help,
        .default_text = default_text,
        .assign =
            [](const config_target& target, config_value given) {
                std::get<owner*>(target)->*Member = std::get<value>(std::move(given));
            },
        .read =
            [](const config_target& target) {
                return config_value(std::in_place_type<value>, std::get<owner*>(target)->*Member);
            }};
}

constexpr config_key as_path(config_key row) {
    row.kind = path;
    return row;
}
constexpr config_key within(config_key row, std::uint64_t least, std::uint64_t most) {
    row.least = least;
    row.most = most;
    return row;
}
constexpr config_key one_of(config_key row, std::span<const std::string_view> choices) {
    row.choices = choices;
    return row;
}

using enum config_section;

constexpr std::string_view required = "(required)";
constexpr std::string_view none = "(none)";

constexpr auto keys = std::to_array<config_key>({
    key<&redis_settings::url>(
        redis, "url",
        "Where Redis is: `redis://host:port/db`, `rediss://` with TLS, `redis://user:password@host`, "
        "`unix:///path/to.sock?db=0`, a cluster at `redis+cluster://host:port,host:port`, or what Sentinels "
        "name: "
        "`redis+sentinel://host:port,host:port/master-name/db`. `rediss+…://` for these two with TLS."),
    key<&redis_settings::prefix>(redis, "prefix", "All keys in Redis begin with this and a colon."),
    as_path(key<&redis_settings::ca_file>(
        redis, "ca_file", "Extra trust root (PEM) for `rediss…://`, beside the system's.", none)),
    as_path(key<&redis_settings::certificate_file>(
        redis, "certificate_file",
        "Client certificate chain (PEM) for `rediss…://`, where Redis asks for one (`tls-auth-clients`).",
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
            "Within this SIGTERM ends the engine: it waits for pushes in flight, and what is left goes to "
            "another."),
        0, 3'600'000),
    within(
        key<&engine_settings::pages_in_flight>(
            engine, "pages_in_flight",
            "Pages of some 1,000 devices that each thread works on at once. More: faster, more memory, and "
            "more devices that may be sent to twice after a crash."),
        1, 4096),
    within(
        key<&engine_settings::lease>(
            engine, "lease",
            "Work of an engine that has shown no progress for this long is taken over by another."),
        1'000, 3'600'000),
    within(
        key<&engine_settings::replica_wait>(
            engine, "replica_wait",
            "Where Redis has replicas: how long a page may wait, before it is sent, for one of them to know "
            "that it is open. What no replica knows is not counted if a failover repeats it. 0: not at all."),
        0, 10'000),
    within(
        key<&engine_settings::max_attempts>(
            engine, "max_attempts",
            "Tries that a push may use up before it counts as failed. Tries that no provider has processed "
            "are free."),
        1, 100),
    within(
        key<&engine_settings::ramp_up>(
            engine, "ramp_up",
            "After a silence an app's `rate` begins at 1,000 pushes per second and reaches its full height "
            "over "
            "this time, over all engines; providers take a sudden flood for an attack. Critical events do "
            "not "
            "wait for it, and lower rates have no ramp. 0: none."),
        0, 3'600'000),
    within(
        key<&engine_settings::max_takeovers>(
            engine, "max_takeovers",
            "How often a shard may be taken up without any progress before it is put aside: whatever it "
            "holds ends the engines that touch it. The event's result names it."),
        2, 1'000'000),
    within(
        key<&engine_settings::default_ttl>(
            engine, "default_ttl", "When an event expires that names neither `ttl` nor `expires_at`."),
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
            "How long after its result an event with `receipts` is reported on; then its `reach` document is "
            "written. Later receipts are dead letters."),
        1'000, 28ULL * 86'400'000),
    within(
        key<&engine_settings::brake_floor>(
            engine, "brake_floor",
            "The brake on removals: up to so many devices of an app on a platform are removed on the "
            "provider's "
            "word whatever their share. 0: any number."),
        0, 1'000'000'000),
    within(
        key<&engine_settings::brake_share>(
            engine, "brake_share",
            "Per cent of an event's certain answers that may be \"this device is gone\" before an operator "
            "is "
            "asked. Nobody is asked below `brake_times` times the usual share either."),
        1, 100),
    within(
        key<&engine_settings::brake_times>(
            engine, "brake_times", "How many times the app's usual share is still nothing to ask about."),
        1, 100),
    within(
        key<&engine_settings::brake_first_share>(
            engine, "brake_first_share",
            "The same as `brake_share` for an app that has had fewer than 1,000 answers: an old database may "
            "well be half dead. Above it an operator is asked whatever is usual."),
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
        "such as "
        "`.internal` and `.svc`; `*.example.org` is all below it. A request for another name is refused, "
        "since it comes "
        "from a page of elsewhere."),

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
        "When they end: what waited leaves from then on. After midnight if earlier than `from`.", none),
    key<&quiet_hours_settings::categories>(
        quiet_hours, "categories",
        "Which categories wait. An event without a category waits only if the list is empty."),
    key<&quiet_hours_settings::priorities>(
        quiet_hours, "priorities", "Which priorities wait: `high`, `normal`, `low`; never `critical`."),
    within(
        key<&quiet_hours_settings::spread>(
            quiet_hours, "spread",
            "Over how long what waited leaves, so that not all of it does in the same second. An event with "
            "a "
            "`spread` of its own keeps that."),
        0, 3'600'000),

    key<&app_settings::id>(
        app, "id", "Name of the app in events, registrations and metrics: 1 to 64 of `A-Z a-z 0-9 . _ -`.",
        required),
    key<&app_settings::communes>(
        app, "communes", "INSEE codes of the communes that it serves, or `[\"*\"]` for all.", required),

    key<&apns_settings::url>(apns, "url", "The provider for devices of the environment `production`."),
    key<&apns_settings::sandbox_url>(
        apns, "sandbox_url", "The provider for devices of the environment `sandbox`."),
    key<&apns_settings::topic>(apns, "topic", "The app's bundle id.", required),
    key<&apns_settings::team_id>(
        apns, "team_id", "Apple's id of the team that owns the key, 10 characters.",
        "(required with `key_file`)"),
    key<&apns_settings::key_id>(
        apns, "key_id", "Apple's id of the signing key, 10 characters.", "(required with `key_file`)"),
    as_path(key<&apns_settings::key_file>(
        apns, "key_file", "The signing key as Apple hands it out (`AuthKey_….p8`). Mode 600.", none)),
    as_path(key<&apns_settings::certificate_file>(
        apns, "certificate_file", "Client certificate chain (PEM), in place of a signing key.", none)),
    as_path(key<&apns_settings::certificate_key_file>(
        apns, "certificate_key_file", "The certificate's private key (PEM). Mode 600.",
        "(required with `certificate_file`)")),
    as_path(key<&apns_settings::ca_file>(
        apns, "ca_file", "Extra trust root (PEM), for simulators and proxies.", none)),
    within(
        key<&apns_settings::rate>(apns, "rate", "Pushes per second over all engines. 0: no limit of ours."),
        0, 10'000'000),

    key<&fcm_settings::url>(fcm, "url", "The provider."),
    as_path(key<&fcm_settings::service_account_file>(
        fcm, "service_account_file",
        "The service account's key as Google hands it out (JSON). Its `token_uri` and `project_id` are "
        "honoured. Mode 600.",
        required)),
    key<&fcm_settings::project_id>(
        fcm, "project_id", "Only to send to another project than the service account's own.",
        "the service account's"),
    as_path(key<&fcm_settings::ca_file>(
        fcm, "ca_file", "Extra trust root (PEM), for simulators and proxies.", none)),
    within(
        key<&fcm_settings::rate>(fcm, "rate", "Pushes per second over all engines. 0: no limit of ours."), 0,
        10'000'000),

    as_path(key<&webpush_settings::vapid_key_file>(
        webpush, "vapid_key_file",
        "The P-256 private key (PEM) whose public half browsers subscribe with; `tocsin vapid new` makes "
        "one. "
        "Mode 600.",
        required)),
    key<&webpush_settings::subject>(
        webpush, "subject",
        "Whom a push service can write to about this app: `mailto:` or `https:`, without angle brackets.",
        required),
    key<&webpush_settings::url>(
        webpush, "url", "What a tap on a notification opens if the event names no `url`.", required),
    key<&webpush_settings::services>(
        webpush, "services",
        "Origins of push services (`\"https://push.example.org\"`) beside those of Google, Mozilla, Apple "
        "and "
        "Microsoft. Those alone may be at private addresses."),
    as_path(key<&webpush_settings::ca_file>(
        webpush, "ca_file", "Extra trust root (PEM), for simulators and services of one's own.", none)),
    within(
        key<&webpush_settings::rate>(
            webpush, "rate", "Pushes per second over all engines. 0: no limit of ours."),
        0, 10'000'000),
});

std::string upper(std::string_view word) {
    std::string out(word);
    std::ranges::transform(
        out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return out;
}

}  // namespace

std::span<const config_section_description> config_section_table() noexcept {
    return sections;
}

std::span<const config_key> config_key_table() noexcept {
    return keys;
}

const config_section_description& describe(config_section section) noexcept {
    return *std::ranges::find(sections, section, &config_section_description::id);
}

const config_key* find_config_key(config_section section, std::string_view name) noexcept {
    const auto found = std::ranges::find_if(
        keys, [&](const config_key& row) { return row.section == section && row.name == name; });
    return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string_view> config_key_names(config_section section) {
    std::vector<std::string_view> out;
    for (const config_key& row : keys) {
        if (row.section == section) {
            out.push_back(row.name);
        }
    }
    return out;
}

std::string full_name(const config_key& key) {
    return std::string(describe(key.section).path) + "." + std::string(key.name);
}

std::string environment_name(const config_key& key) {
    return "TOCSIN_" + upper(describe(key.section).path) + "_" + upper(key.name);
}

}  // namespace tocsin
