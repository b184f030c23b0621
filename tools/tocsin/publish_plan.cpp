#include "tools/tocsin/publish_plan.hpp"

#include "engine/control/control_board.hpp"
#include "engine/control/quota_book.hpp"
#include "engine/core/rfc3339.hpp"
#include "engine/delivery/head_count.hpp"
#include "engine/delivery/sending_time.hpp"
#include "engine/plan/deferral.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/plan/planner.hpp"
#include "engine/served_apps.hpp"
#include "providers/known_platforms.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/device_session.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using seconds = std::chrono::duration<double>;

/// What the audience was found to be.
struct audience_found {
    std::vector<head_count> counts;
    std::vector<deferral> deferred;
    std::vector<wave> waves;
    std::map<target, std::uint64_t> rates;  ///< An operator's, instead of the configured ones.
};

asio::awaitable<result<audience_found>> look_at(store_session& in, std::shared_ptr<active_event> event) {
    ledger book(in.redis.redis(), in.redis.keys(), std::string());
    planner maker(in.store, book, in.preparer, in.redis.time());
    auto plan = co_await maker.make(event, std::string(), ledger_fields());
    if (plan.has_error()) {
        co_return plan.error();
    }
    control_board board(in.redis.redis(), in.redis.keys());
    auto control = co_await board.read();
    if (control.has_error()) {
        co_return control.error();
    }
    audience_found out;
    out.waves = plan->when.waves();
    if (const auto held = plan->fields.find(ledger_names::deferred); held != plan->fields.end()) {
        out.deferred = read_deferrals(held->second);
    }
    auto counts =
        co_await count_heads(in.redis.redis(), in.redis.keys(), known_platforms(), event, std::move(*plan));
    if (counts.has_error()) {
        co_return counts.error();
    }
    out.counts = std::move(*counts);
    out.rates = std::move(control->rates);
    co_return out;
}

struct time_needed {
    seconds takes{};
    /// rate, engine, spread, quiet_hours; nothing: there is nobody to send to.
    std::string_view bottleneck = "nothing";
};

/// How many devices wait until `moment`.
std::uint64_t devices_until(const audience_found& found, wall_time moment) {
    std::uint64_t out = 0;
    for (const head_count& one : found.counts) {
        const auto here = one.deferred.find(moment);
        out += here == one.deferred.end() ? 0 : here->second;
    }
    return out;
}

json::array deferred_array(const audience_found& found) {
    json::array out = deferrals_array(found.deferred);
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i].as_object()["devices"] = devices_until(found, found.deferred[i].until);
    }
    return out;
}

/// Targets go side by side, each at its own rate, and all of them through the threads of one engine.
time_needed time_for(
    const settings& how, const active_event& event, const audience_found& found, wall_time now) {
    auto rates = configured_rates(how);
    for (const auto& [which, rate] : found.rates) {
        rates[which] = rate;
    }
    const bool at_once = event.content.priority == priority::critical;
    const seconds ramp = at_once ? seconds(0) : seconds(how.engine.ramp_up);
    time_needed out;
    std::uint64_t devices = 0;
    const auto consider = [&out](seconds takes, std::string_view why) {
        if (takes > out.takes) {
            out = {takes, why};
        }
    };
    const bool asks_providers = event.content.mode == delivery_mode::actual;
    for (const head_count& one : found.counts) {
        devices += one.devices;
        const auto rate = rates.find(one.which);
        if (asks_providers && one.devices != 0 && rate != rates.end() && rate->second != 0) {
            consider(
                sending_time(
                    one.devices, static_cast<double>(rate->second),
                    static_cast<double>(quota_book::gentle_rate), ramp),
                "rate");
        }
    }
    const double threads = static_cast<double>(std::max<std::size_t>(1, how.engine.threads));
    consider(seconds(static_cast<double>(devices) / (planned_thread_rate * threads)), "engine");
    if (devices != 0 && event.content.is_spread()) {
        consider(event.content.spread, "spread");
    }
    if (!found.deferred.empty() && devices_until(found, found.deferred.back().until) != 0) {
        // The last to leave, evenly over their while; or as long as sending to anybody takes from there.
        const seconds wait = found.deferred.back().until - now;
        seconds over{0};
        for (const wave& one : found.waves) {
            over = one.starts == found.deferred.back().until ? std::max<seconds>(over, one.over) : over;
        }
        consider(wait + std::max(over, out.takes), "quiet_hours");
    }
    return out;
}

/// All targets together.
head_count sum_of(const std::vector<head_count>& counts) {
    head_count out;
    for (const head_count& one : counts) {
        out.devices += one.devices;
        out.muted += one.muted;
        out.duplicates += one.duplicates;
        out.unread += one.unread;
    }
    return out;
}

std::size_t payload_of(const active_event& event, const target& which) {
    const auto found = event.messages.find(which);
    return found == event.messages.end() ? 0 : found->second->largest_payload();
}

json::object plan_document(const active_event& event, const audience_found& found, const time_needed& time) {
    json::object apps;
    for (const head_count& one : found.counts) {
        json::object& app = apps.emplace(one.which.app, json::object()).first->value().as_object();
        app[to_string(one.which.on)] = json::object{
            {"devices", one.devices}, {"muted", one.muted}, {"payload_bytes", payload_of(event, one.which)}};
    }
    const head_count all = sum_of(found.counts);
    return {
        {"targeted", all.targeted()},        {"muted", all.muted},
        {"duplicates", all.duplicates},      {"seconds", std::round(time.takes.count() * 1'000) / 1'000},
        {"bottleneck", time.bottleneck},     {"apps", std::move(apps)},
        {"deferred", deferred_array(found)},
    };
}

void print_plan(const active_event& event, const audience_found& found, const time_needed& time) {
    table out({"app", "platform", "devices", "muted", "payload"});
    for (const head_count& one : found.counts) {
        out.add(
            {one.which.app, std::string(to_string(one.which.on)), grouped(one.devices), grouped(one.muted),
             grouped(payload_of(event, one.which)) + " bytes"});
    }
    const head_count all = sum_of(found.counts);
    print(out.text());
    print(fmt::format(
        "\nNothing was sent. The event would target {} devices, of which {} muted it; {} entries of devices "
        "that it matches elsewhere are left out.",
        grouped(all.targeted()), grouped(all.muted), grouped(all.duplicates)));
    if (all.devices != 0) {
        print(fmt::format(
            "It would take {}, limited by the {}.", spoken_ms(time.takes.count() * 1'000),
            time.bottleneck == "quiet_hours" ? "quiet hours" : time.bottleneck));
    }
    for (const deferral& one : found.deferred) {
        print(fmt::format(
            "{} devices would wait for the end of quiet hours at {}.",
            grouped(devices_until(found, one.until)), format_rfc3339(one.until)));
    }
}

}  // namespace

int plan_event(const common_options& common, const std::string& document) {
    // The providers live on these, and the session keeps the providers.
    null_logger log;
    asio::io_context loop(1);
    store_session in(common);
    const provider_runtime runtime{loop.get_executor(), 1, in.redis.time(), log, 1};
    in.preparer.set_apps(served_apps(in.how, open_providers(in.how, runtime)));
    if (auto hours = quiet_hours::make(in.how.quiet_hours); hours.has_value()) {
        in.preparer.set_quiet_hours(std::move(*hours));
    }
    const auto now = in.redis.time().wall_now();
    const auto event = value_or_end(
        in.preparer.accept(document, std::to_string(now.time_since_epoch().count()) + "-0"), exit_usage);
    const audience_found found = in.redis.run(look_at(in, event));
    if (const std::uint64_t unread = sum_of(found.counts).unread; unread != 0) {
        complain(fmt::format("{} entries of the store cannot be read and would not be sent to", unread));
    }
    const time_needed time =
        time_for(in.how, *event, found, std::max(now, event->content.send_at.value_or(now)));
    if (event->content.expires_at - now < time.takes) {
        complain("the event expires before all of it is sent");
    }
    if (common.json) {
        print_json(plan_document(*event, found, time));
    } else {
        print_plan(*event, found, time);
    }
    return exit_ok;
}

}  // namespace tocsin::cli
