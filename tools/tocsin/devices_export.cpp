#include "tools/tocsin/console.hpp"
#include "tools/tocsin/device_session.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

int export_all(const common_options& common) {
    store_session in(common);
    int code = exit_ok;
    for (const target& which : in.targets()) {
        bool heard = true;
        const auto unread = in.redis.run(in.store.for_each(which.app, which.on, [&](const device& known) {
            heard = heard && print_json(document_of(common, which, known));
        }));
        if (unread != 0) {
            complain(fmt::format(
                "{} records of {} are not of a form that this version knows: they are left out", unread,
                to_string(which)));
            code = exit_failed;
        }
        if (!heard) {
            break;
        }
    }
    return code;
}

}  // namespace

command devices_export_command() {
    return {
        .name = "export",
        .group = command_group::devices,
        .summary = "Write every device as a registration document per line.",
        .examples = "tocsin devices export --show-tokens > devices.jsonl\n",
        .details = "With `--show-tokens` the output can be imported again.",
        .run = export_all,
    };
}

}  // namespace tocsin::cli
