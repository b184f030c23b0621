#include "engine/control/control_board.hpp"
#include "providers/known_platforms.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/device_session.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <memory>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

int forget(const common_options& common, const std::string& token) {
    store_session in(common);
    std::vector<device_change> changes;
    std::vector<removed_device> gone;
    for (const target& which : in.possible_targets(token)) {
        device_change change;
        change.what = device_change::action::remove;
        change.app = which.app;
        change.where = which.on;
        change.which.token = known_platforms()[which.on].stored_token(token);
        gone.push_back({which, change.which.token});
        changes.push_back(std::move(change));
    }
    const auto applied = in.redis.run(in.store.apply(std::move(changes)));
    control_board board(in.redis.redis(), in.redis.keys());
    in.redis.run(board.tell_removed(std::move(gone)));
    const auto removed = std::ranges::count(applied, change_outcome::removed);
    if (common.json) {
        print_json(json::object{{"removed", removed}});
    } else {
        print(fmt::format("removed from {} app{}", removed, removed == 1 ? "" : "s"));
    }
    return removed != 0 ? exit_ok : exit_failed;
}

}  // namespace

command devices_forget_command() {
    const auto token = std::make_shared<std::string>();
    return {
        .name = "forget",
        .group = command_group::devices,
        .summary = "Remove a device from everything it follows.",
        .examples = "tocsin devices forget 5f2c…\n",
        .options = {option("TOKEN", *token, "The device token").required()},
        .details = "Removes it from all apps. Exit code 1 if no app knew it.",
        .run = [token](const common_options& common) { return forget(common, *token); },
    };
}

}  // namespace tocsin::cli
