#include "providers/known_platforms.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/device_session.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <boost/json/array.hpp>

#include <memory>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

int show(const common_options& common, const std::string& token) {
    store_session in(common);
    json::array found;
    for (const target& which : in.possible_targets(token)) {
        const auto known =
            in.redis.run(in.store.find(which.app, which.on, known_platforms()[which.on].stored_token(token)));
        if (known) {
            found.push_back(document_of(common, which, known->which));
        }
    }
    if (found.empty()) {
        throw command_end(exit_failed, "no app knows this device");
    }
    for (const json::value& one : found) {
        if (!common.json) {
            print_json(one);
        }
    }
    if (common.json) {
        print_json(found);
    }
    return exit_ok;
}

}  // namespace

command devices_show_command() {
    const auto token = std::make_shared<std::string>();
    return {
        .name = "show",
        .group = command_group::devices,
        .summary = "Show what is known of a device.",
        .examples = "tocsin devices show 5f2c…\n",
        .options = {option("TOKEN", *token, "The device token").required()},
        .details = "Shows it for each app that knows it. Exit code 1 if none does.",
        .run = [token](const common_options& common) { return show(common, *token); },
    };
}

}  // namespace tocsin::cli
