#include "tools/tocsin/hold.hpp"

#include <memory>

namespace tocsin::cli {

command pause_command() {
    const auto how = std::make_shared<hold_options>();
    return {
        .name = "pause",
        .group = command_group::run,
        .summary = "Hold what is not sent yet: all, an app, a platform.",
        .examples =
            "tocsin pause\n"
            "tocsin pause --app mairies --platform fcm\n",
        .options = hold_option_table(*how),
        .details =
            "Holds everything that is not in flight, in all engines and over restarts, until `tocsin "
            "resume`. Events expire all the same. `--json`: `paused`, the pauses in force (`mairies/apns`, "
            "`*/fcm`).",
        .run = [how](const common_options& common) { return hold(common, *how); },
    };
}

}  // namespace tocsin::cli
