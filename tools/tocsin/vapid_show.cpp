#include "engine/core/private_file.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/vapid_key.hpp"

#include <memory>
#include <string>

namespace tocsin::cli {
namespace {

int show_key(const common_options& common, const std::string& file) {
    const std::string pem = value_or_end(read_private_file(file), exit_configuration);
    print_vapid_key(file, value_or_end(application_server_key(pem, file), exit_configuration), common.json);
    return exit_ok;
}

}  // namespace

command vapid_show_command() {
    const auto file = std::make_shared<std::string>();
    return {
        .name = "show",
        .group = command_group::devices,
        .summary = "Print the public half of a key.",
        .examples = "tocsin vapid show vapid.pem\n",
        .options = {option("FILE", *file, "The private key").value("FILE").required()},
        .details =
            "Prints it in the form that `PushManager.subscribe()` takes as `applicationServerKey`. `--json`: "
            "`file`, "
            "`application_server_key`.",
        .run = [file](const common_options& common) { return show_key(common, *file); },
    };
}

}  // namespace tocsin::cli
