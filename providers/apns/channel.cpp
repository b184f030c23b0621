#include "providers/apns/channel.hpp"

#include <utility>

namespace tocsin::apns {
namespace {

using namespace std::chrono_literals;

constexpr auto watch_period = 1s;

http2::pool_policy policy_of(const service& shared) {
    http2::pool_policy out;
    out.stream_cap = 1000;
    // With a provider token APNs allows one stream until it has seen a valid one.
    out.probe_first = shared.token != nullptr;
    // Front ends come and go; a new connection looks the name up again and finds those of today.
    out.max_age = 12h;
    return out;
}

std::shared_ptr<http2::pool> pool_for(
    const service& shared, const connection_identity& identity, const channel_context& context) {
    return shared.connections->get(context.thread, context.executor, identity, policy_of(shared));
}

line_wiring wiring_of(service& shared, const channel_context& context, response_counters& counters) {
    return {shared.app, context.source, context.time,      context.log,
            counters,   shared.health,  shared.token.get()};
}

}  // namespace

apns_channel::apns_channel(std::shared_ptr<service> shared, const channel_context& context)
    : service_(std::move(shared)),
      time_(context.time),
      counters_(context.metrics, service_->app, platform::apns),
      production_pool_(pool_for(*service_, service_->production, context)),
      production_(
          wiring_of(*service_, context, counters_), service_->production.where.authority, false,
          [this] { production_pool_->wake(production_); }),
      watch_(context.executor),
      alive_(std::make_shared<char>()) {
    production_pool_->attach(production_);
    if (!service_->one_environment()) {
        sandbox_pool_ = pool_for(*service_, service_->sandbox, context);
        sandbox_.emplace(
            wiring_of(*service_, context, counters_), service_->sandbox.where.authority, true,
            [this] { sandbox_pool_->wake(*sandbox_); });
        line::pair(production_, *sandbox_);
        sandbox_pool_->attach(*sandbox_);
    }
}

apns_channel::~apns_channel() {
    production_pool_->detach(production_);
    if (sandbox_) {
        sandbox_pool_->detach(*sandbox_);
    }
}

void apns_channel::wake() {
    // A pool that is woken connects. Which of the two has something to send is known only when
    // it is drawn.
    if (production_.look_for_work(time_.now())) {
        production_pool_->wake(production_);
    }
    if (sandbox_) {
        sandbox_->wake_if_filled();
    }
    watch_queues();
}

void apns_channel::watch_queues() {
    const bool queued = production_.has_queued() || (sandbox_ && sandbox_->has_queued());
    if (watching_ || !queued) {
        return;
    }
    watching_ = true;
    watch_.expires_after(watch_period);
    watch_.async_wait([this, alive = std::weak_ptr<void>(alive_)](const error_code& cancelled) {
        if (cancelled || alive.expired()) {
            return;
        }
        watching_ = false;
        production_.drop_over(time_.now());
        if (sandbox_) {
            sandbox_->drop_over(time_.now());
        }
        watch_queues();
    });
}

channel_statistics apns_channel::statistics() const {
    channel_statistics out;
    const auto add = [&out](const http2::pool& pool, const line& each) {
        const http2::pool_statistics numbers = pool.statistics();
        out.connections_ready += numbers.ready;
        out.connections_connecting += numbers.connecting;
        out.connections_draining += numbers.draining;
        out.in_flight += each.in_flight();
        out.saturated = out.saturated || (numbers.ready != 0 && numbers.saturated == numbers.ready) ||
                        each.open_requests() >= numbers.client_limit;
    };
    add(*production_pool_, production_);
    if (sandbox_) {
        add(*sandbox_pool_, *sandbox_);
    }
    return out;
}

}  // namespace tocsin::apns
