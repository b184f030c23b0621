#include "providers/fcm/channel.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace tocsin::fcm {
namespace {

using namespace std::chrono_literals;

http2::pool_policy policy() {
    http2::pool_policy out;
    // Google's front ends end a connection, with all that is on it, at the 101st stream.
    out.stream_cap = 100;
    // 100 streams a connection, at a quarter of a second each: the 10,000 pushes a second of a project's
    // quota take some of these even if Google is slow, and one thread has to be able to send them.
    out.max_connections = 32;
    // Google's clients wait 10 to 15 seconds for an answer.
    out.request_timeout = 15s;
    return out;
}

line_wiring wiring_of(
    service& shared, const channel_context& context, response_counters& counters,
    std::function<void(time_point)> held) {
    auth::oauth_token_source& tokens = *shared.tokens;
    return {
        shared.app,
        shared.where.where.authority,
        shared.path,
        context.source,
        context.time,
        context.log,
        counters,
        shared.health,
        shared.apple,
        shared.project,
        *shared.host,
        tokens.slot(),
        [&tokens](time_point written_at, time_point now) {
            return tokens.refresh_after_rejection(written_at, now);
        },
        std::move(held)};
}

}  // namespace

fcm_channel::fcm_channel(std::shared_ptr<service> shared, const channel_context& context)
    : service_(std::move(shared)),
      counters_(context.metrics, service_->app, platform::fcm),
      pool_(service_->connections->get(context.thread, context.executor, service_->where, policy())),
      line_(wiring_of(*service_, context, counters_, [this](time_point until) { wake_at(until); })),
      time_(context.time),
      relief_(context.executor),
      alive_(std::make_shared<char>()) {
    pool_->attach(line_);
    new_token_ = service_->tokens->subscribe(context.executor, [this] { wake(); });
}

fcm_channel::~fcm_channel() {
    pool_->detach(line_);
}

void fcm_channel::wake() {
    // Without a token there is nothing that could be sent; its coming wakes us again.
    if (line_.can_send()) {
        pool_->wake(line_);
    }
}

void fcm_channel::wake_at(time_point when) noexcept {
    if (relief_waits_) {
        return;
    }
    try {
        relief_.expires_after(std::max(when - time_.now(), duration::zero()));
        relief_.async_wait([this, alive = std::weak_ptr<void>(alive_)](const error_code& cancelled) {
            if (!cancelled && !alive.expired()) {
                relief_waits_ = false;
                wake();
            }
        });
        relief_waits_ = true;
    } catch (const std::exception&) {
        // Out of memory for a timer: the lane, too, wakes us while pushes wait in it.
    }
}

channel_statistics fcm_channel::statistics() const {
    const http2::pool_statistics numbers = pool_->statistics();
    channel_statistics out;
    out.in_flight = line_.in_flight();
    out.connections_ready = numbers.ready;
    out.connections_connecting = numbers.connecting;
    out.connections_draining = numbers.draining;
    out.saturated = (numbers.ready != 0 && numbers.saturated == numbers.ready) ||
                    line_.open_requests() >= numbers.client_limit;
    return out;
}

}  // namespace tocsin::fcm
