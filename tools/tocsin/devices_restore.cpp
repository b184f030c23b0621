#include "engine/core/rfc3339.hpp"
#include "engine/delivery/restorer.hpp"
#include "engine/ops/config_keys.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/device_session.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/hold.hpp"

#include <boost/json/object.hpp>

#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

struct restore_options {
    std::string app;
    std::string platform;
    std::string since;
    bool dry_run = false;
};

/// A moment, or how long ago it was; empty text: the beginning of time.
std::optional<wall_time> read_since(const std::string& text, wall_time now) {
    if (text.empty()) {
        return wall_time();
    }
    if (const auto at = parse_rfc3339(text)) {
        return at;
    }
    const auto ago = parse_duration(text);
    return ago ? std::optional(now - *ago) : std::nullopt;
}

int restore(const common_options& common, const restore_options& how) {
    const auto since = read_since(how.since, system_time_source().wall_now());
    if (!since) {
        throw command_end(
            exit_usage, "--since: \"" + how.since +
                            "\" is neither a moment such as 2026-11-23T06:00:00Z nor a time such as 2h");
    }
    store_session in(common);
    const hold_selector chosen = selector_of(in.how, how.app, how.platform);
    restore_tally total;
    for (const target& which : in.targets()) {
        if (!chosen.covers(which)) {
            continue;
        }
        const restore_tally done =
            in.redis.run(restore_removed(in.store, in.redis.redis(), which, *since, how.dry_run));
        total.restored += done.restored;
        total.present += done.present;
        total.unregistered += done.unregistered;
    }
    if (common.json) {
        print_json(json::object{
            {"restored", total.restored}, {"present", total.present}, {"unregistered", total.unregistered}});
    } else {
        print(fmt::format(
            "{} {}, {} registered by now, {} unregistered by their app", grouped(total.restored),
            how.dry_run ? "would be restored" : "restored", grouped(total.present),
            grouped(total.unregistered)));
    }
    return total.restored != 0 ? exit_ok : exit_failed;
}

}  // namespace

command devices_restore_command() {
    const auto how = std::make_shared<restore_options>();
    return {
        .name = "restore",
        .group = command_group::devices,
        .summary = "Bring back devices that a provider called gone.",
        .examples =
            "tocsin devices restore --app mairies --since 2h --dry-run\n"
            "tocsin devices restore --app mairies --platform fcm --since 2026-11-23T06:00:00Z\n",
        .options =
            {option("--app", how->app, "Whose devices").value("APP").required(),
             option("--platform", how->platform, "`apns`, `fcm` or `webpush`; default: all")
                 .value("PLATFORM"),
             option("--since", how->since, "Only devices removed since this moment, or within this time")
                 .value("TIME"),
             option("--dry-run", how->dry_run, "Only count")},
        .details =
            "Devices that were removed on a provider's word are kept for `engine.removed_kept`, and come "
            "back with everything that they followed and muted, and with their language. A device that has "
            "registered again since stays as it is; one that its app has unregistered stays away. Exit code "
            "1 if no device came back. [What to do](../how-to/when-a-provider-calls-many-devices-gone.md)\n\n"
            "`--json`: `restored`, `present` and `unregistered`.",
        .run = [how](const common_options& common) { return restore(common, *how); },
    };
}

}  // namespace tocsin::cli
