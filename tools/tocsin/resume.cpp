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
            "Ends every pause within the named app and platform; exit code 1 if a wider pause is still in "
            "force. `--json`: `paused`, the pauses in force (`mairies/apns`, `*/fcm`).",
        .run = [how](const common_options& common) { return release(common, *how); },
    };
}

}  // namespace tocsin::cli
