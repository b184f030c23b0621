#include "engine/delivery/pruner.hpp"

#include "engine/plan/dead_device.hpp"
#include "engine/redis/check.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace tocsin {

boost::asio::awaitable<result<>> pruner::prune(
    std::string event, std::vector<std::pair<std::string, std::string>> dead) {
    struct gone {
        std::string member;
        std::string document;
    };
    std::vector<device_change> changes;
    std::vector<gone> reports;  // One for each change.
    redis::request report;
    redis::request done;
    const std::string feedback = book_.keys().feedback();
    const std::string remaining = book_.keys().dead(event);
    for (const auto& [member, reason] : dead) {
        auto which = decode_dead(member);
        if (!which) {
            done.add("HDEL", remaining, member);
            continue;
        }
        boost::json::object document{
            {"app", which->which.app},
            {"platform", to_string(which->which.on)},
            {"token", platforms_[which->which.on].written_token(which->token)},
            {"reason", reason},
            {"at", time_.wall_now().time_since_epoch().count()},
            {"event", event}};
        reports.push_back({member, boost::json::serialize(document)});
        device_change change;
        change.what = device_change::action::remove;
        change.app = which->which.app;
        change.where = which->which.on;
        change.which.token = std::move(which->token);
        change.only_if_entry = std::move(which->entry);
        changes.push_back(std::move(change));
    }
    const auto removed = co_await store_.apply(std::move(changes));
    if (removed.has_error()) {
        co_return removed.error();
    }
    for (std::size_t i = 0; i < reports.size(); ++i) {
        // Registered again since its page was read: alive, and not to be reported.
        if ((*removed)[i] != change_outcome::kept) {
            report.add(
                "XADD", feedback, "MAXLEN", "~", feedback_length_, "*", "feedback", reports[i].document);
        }
        done.add("HDEL", remaining, reports[i].member);
    }
    // One after the other: on a cluster they go to different servers, and who is taken off the list must have
    // been reported.
    auto reported = co_await book_.connection().execute(std::move(report));
    const auto told = redis::checked(std::move(reported));
    if (told.has_error()) {
        co_return told.error();
    }
    auto struck = co_await book_.connection().execute(std::move(done));
    const auto finished = redis::checked(std::move(struck));
    if (finished.has_error()) {
        co_return finished.error();
    }
    log_.debug("devices.pruned", {{"event_id", event}, {"devices", dead.size()}});
    co_return result<>();
}

}  // namespace tocsin
