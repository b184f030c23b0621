#include "tools/tocsin/console.hpp"
#include "tools/tocsin/device_session.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/lost_followers.hpp"

#include <boost/json/object.hpp>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

int count(const common_options& common) {
    store_session in(common);
    json::object apps;
    table shown({"app", "platform", "devices"});
    std::uint64_t total = 0;
    for (const target& which : in.targets()) {
        const std::uint64_t devices = in.redis.run(in.store.count(which.app, which.on));
        total += devices;
        json::value& one = apps[which.app];
        if (!one.is_object()) {
            one = json::object();
        }
        one.as_object()[to_string(which.on)] = devices;
        shown.add({which.app, std::string(to_string(which.on)), grouped(devices)});
    }
    const auto lost = in.redis.run(find_lost_followers(in.store, in.targets(), in.places));
    if (common.json) {
        print_json(
            json::object{{"total", total}, {"apps", std::move(apps)}, {"outside", to_json(lost, in.places)}});
    } else {
        shown.add({"total", "", grouped(total)});
        print(shown.text());
        for (const lost_followers& one : lost) {
            print(to_string(one.which) + ": " + sentence_about(one, in.places));
        }
    }
    return exit_ok;
}

}  // namespace

command devices_count_command() {
    return {
        .name = "count",
        .group = command_group::devices,
        .summary = "Count the devices, by app and platform.",
        .examples =
            "tocsin devices count\n"
            "tocsin devices count --json\n",
        .details =
            "Also says how many devices follow communes that the territories do not have, for example "
            "because they have merged: no event can name those. [What to "
            "do](../how-to/when-communes-merge.md)\n\n"
            "`--json`: `total`, `apps` by app and platform, and `outside`: a list of `app`, `platform`, "
            "`follows`, "
            "`devices` and `now`, the present codes.",
        .run = count,
    };
}

}  // namespace tocsin::cli
