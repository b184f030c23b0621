#include "tools/tocsin/publish_plan.hpp"

#include "engine/control/control_board.hpp"
#include "engine/control/quota_book.hpp"
#include "engine/delivery/head_count.hpp"
#include "engine/delivery/sending_time.hpp"
#include "engine/plan/planner.hpp"
#include "engine/served_apps.hpp"
#include "providers/factory.hpp"
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
    std::map<target, std::uint64_t> rates;  ///< An operator's, instead of the configured ones.
};

asio::awaitable<result<audience_found>> look_at(store_session& in, std::shared_ptr<active_event> event) {
    planner maker(*in.store, in.preparer, in.redis->time());
    auto plan = co_await maker.make(event, std::string(), ledger_fields());
    if (plan.has_error()) {
        co_return plan.error();
    }
    control_board board(in.redis->redis(), in.redis->keys());
    auto control = co_await board.read();
    if (control.has_error()) {
        co_return control.error();
    }
    auto counts = co_await count_heads(in.redis->redis(), in.redis->keys(), event, std::move(*plan));
    if (counts.has_error()) {
        co_return counts.error();
    }
    audience_found out;
    out.counts = std::move(*counts);
    out.rates = std::move(control->rates);
    co_return out;
}

std::map<target, std::uint64_t> configured_rates(const settings& how) {
    std::map<target, std::uint64_t> out;
    for (const app_settings& app : how.apps) {
        if (app.apns) {
            out[{app.id, platform::apns}] = app.apns->rate;
        }
        if (app.fcm) {
            out[{app.id, platform::fcm}] = app.fcm->rate;
        }
    }
    return out;
}

struct time_needed {
    seconds takes{};
    std::string_view bottleneck = "nothing";  ///< rate, engine, spread; nothing: there is nobody to send to.
};

/// Targets go side by side, each at its own rate, and all of them through the threads of one engine.
time_needed time_for(const settings& how, const active_event& event, const audience_found& found) {
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
    return out;
}

std::size_t payload_of(const active_event& event, const target& which) {
    const auto found = event.messages.find(which);
    return found == event.messages.end() ? 0 : found->second->largest_payload();
}

json::object plan_document(
    const active_event& event, const std::vector<head_count>& counts, const time_needed& time) {
    json::object apps;
    std::uint64_t targeted = 0;
    std::uint64_t muted = 0;
    std::uint64_t duplicates = 0;
    for (const head_count& one : counts) {
        targeted += one.targeted();
        muted += one.muted;
        duplicates += one.duplicates;
        json::object& app = apps.emplace(one.which.app, json::object()).first->value().as_object();
        app[to_string(one.which.on)] = json::object{
            {"devices", one.devices}, {"muted", one.muted}, {"payload_bytes", payload_of(event, one.which)}};
    }
    return {
        {"targeted", targeted},          {"muted", muted},
        {"duplicates", duplicates},      {"seconds", std::round(time.takes.count() * 1'000) / 1'000},
        {"bottleneck", time.bottleneck}, {"apps", std::move(apps)},
    };
}

void print_plan(const active_event& event, const std::vector<head_count>& counts, const time_needed& time) {
    table out({"app", "platform", "devices", "muted", "payload"});
    std::uint64_t targeted = 0;
    std::uint64_t muted = 0;
    std::uint64_t duplicates = 0;
    for (const head_count& one : counts) {
        targeted += one.targeted();
        muted += one.muted;
        duplicates += one.duplicates;
        out.add(
            {one.which.app, std::string(to_string(one.which.on)), grouped(one.devices), grouped(one.muted),
             grouped(payload_of(event, one.which)) + " bytes"});
    }
    print(out.text());
    print(fmt::format(
        "\nNothing was sent. The event would target {} devices, of which {} muted it; {} entries of devices "
        "that it "
        "matches elsewhere are left out.",
        grouped(targeted), grouped(muted), grouped(duplicates)));
    if (targeted != muted) {
        print(fmt::format(
            "It would take {}, limited by the {}.", spoken_ms(time.takes.count() * 1'000), time.bottleneck));
    }
}

}  // namespace

int plan_event(const common_options& common, const std::string& document) {
    // The providers live on these, and the session keeps the providers.
    null_logger log;
    asio::io_context loop(1);
    return with_store(common, [&](store_session& in) {
        const provider_runtime runtime{loop.get_executor(), 1, in.redis->time(), log, 1};
        const auto providers = make_providers(in.how, runtime);
        if (providers.has_error()) {
            complain(providers.error().code + ": " + providers.error().message);
            return exit_configuration;
        }
        in.preparer.set_apps(served_apps(in.how, *providers));
        const auto now = in.redis->time().wall_now();
        const auto event =
            in.preparer.accept(document, std::to_string(now.time_since_epoch().count()) + "-0");
        if (event.has_error()) {
            complain(event.error().message);
            return exit_usage;
        }
        const auto found = in.redis->run(look_at(in, *event));
        if (!found) {
            return exit_unreachable;
        }
        std::uint64_t unread = 0;
        for (const head_count& one : found->counts) {
            unread += one.unread;
        }
        if (unread != 0) {
            complain(fmt::format("{} entries of the store cannot be read and would not be sent to", unread));
        }
        const time_needed time = time_for(in.how, **event, *found);
        if ((*event)->content.expires_at - now < time.takes) {
            complain("the event expires before all of it is sent");
        }
        if (common.json) {
            print_json(plan_document(**event, found->counts, time));
        } else {
            print_plan(**event, found->counts, time);
        }
        return exit_ok;
    });
}

}  // namespace tocsin::cli
