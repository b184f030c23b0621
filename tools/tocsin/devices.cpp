#include "tools/tocsin/command.hpp"

namespace tocsin::cli {

// Its actions are devices_*.cpp.
command devices_command() {
    return {
        .name = "devices",
        .group = command_group::devices,
        .summary = "Work on the device store: import, export, count, …",
        .examples =
            "tocsin devices import registrations.jsonl\n"
            "tocsin devices count\n"
            "tocsin devices show 5f2c…\n"
            "tocsin devices forget 5f2c…\n"
            "tocsin devices merge 01002 01004\n"
            "tocsin devices prune\n",
        .details = "The actions work on the store itself, with or without an engine running.",
    };
}

}  // namespace tocsin::cli
