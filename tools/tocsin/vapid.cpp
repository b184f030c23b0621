#include "tools/tocsin/command.hpp"

namespace tocsin::cli {

// Its actions are vapid_*.cpp.
command vapid_command() {
    return {
        .name = "vapid",
        .group = command_group::devices,
        .summary = "Make or show the key that browsers subscribe with.",
        .examples =
            "tocsin vapid new vapid.pem\n"
            "tocsin vapid show vapid.pem\n",
        .details =
            "An app has one such key (`app.webpush.vapid_key_file`) and must keep it: a subscription is "
            "bound to the key that it was made with, so with a new key every browser has to subscribe again.",
    };
}

}  // namespace tocsin::cli
