#include "tools/tocsin/hold.hpp"

#include <memory>

namespace tocsin::cli {

command resume_command() {
    const auto how = std::make_shared<hold_options>();
    return {
        .name = "resume",
        .group = command_group::run,
        .summary = "Send on what was paused.",
        .examples =
            "tocsin resume\n"
            "tocsin resume --app mairies --platform fcm\n",
        .options = hold_option_table(*how),
        .details =
            "Releases every pause that lies within what it names; exit code 1 if a wider one still stands. "
            "`--json`: `paused`, the pauses that stand (`mairies/apns`, `*/fcm`).",
        .run = [how](const common_options& common) { return release(common, *how); },
    };
}

}  // namespace tocsin::cli
