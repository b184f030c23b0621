#include "providers/webpush/channel.hpp"

#include "engine/event/subscription.hpp"
#include "providers/common/https_url.hpp"
#include "providers/webpush/push_services.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace tocsin::webpush {
namespace {

using namespace std::chrono_literals;

// Services that a channel knows at once. Strangers name them, as far as the list of services lets them.
constexpr std::size_t most_places = 256;
constexpr auto forget_after = 5min;
constexpr auto look_every = 500ms;
// Pushes taken from the source at a time.
constexpr std::size_t batch = 32;
// Messages encrypted before the loop has its turn: a sixth of a millisecond. From its stream to its phones an
// alert of another platform goes through the loop many times, and may wait for such a turn each time.
constexpr std::size_t messages_per_turn = 4;
// Pushes that a line takes from the source at a time, if there are.
constexpr std::size_t worth_a_refill = 16;
constexpr std::chrono::milliseconds no_room_pause = 5s;
// Pushes by which is judged for whom the next ones will be; half of them are forgotten then.
constexpr std::size_t routed_remembered = 1'024;

http2::pool_policy policy(bool anywhere) {
    http2::pool_policy out;
    // Google's front ends end a connection, with all that is on it, at the 101st stream; others say their
    // own.
    out.stream_cap = 100;
    out.max_connections = 16;
    out.request_timeout = 15s;
    out.idle_timeout = 180s;
    out.public_addresses_only = !anywhere;
    return out;
}

}  // namespace

webpush_channel::webpush_channel(
    std::shared_ptr<service> shared, encryptor cipher, const channel_context& context)
    : service_(std::move(shared)),
      executor_(context.executor),
      thread_(context.thread),
      source_(context.source),
      time_(context.time),
      counters_(context.metrics, service_->app, platform::webpush),
      cipher_(std::move(cipher)),
      wiring_{service_->app,    context.source,    context.time, context.log, counters_,
              service_->health, *service_->tokens, cipher_,      bodies_,     *this},
      look_(context.executor),
      alive_(std::make_shared<char>()) {}

webpush_channel::~webpush_channel() {
    for (auto& [authority, which] : places_) {
        close(which);
    }
}

void webpush_channel::close(place& which) noexcept {
    routed_ -= which.way->routed;
    which.pool->detach(*which.way);
}

void webpush_channel::wake() {
    if (std::exchange(waking_, true)) {
        return;
    }
    boost::asio::post(executor_, [this, alive = std::weak_ptr<void>(alive_)] {
        if (!alive.expired()) {
            waking_ = false;
            take_some(nullptr, time_.now());
        }
    });
}

void webpush_channel::prepare() {
    for (auto& [authority, which] : places_) {
        which.pool->prepare();
    }
}

void webpush_channel::take_some(line* whose, time_point now) noexcept {
    for (std::size_t i = 0; i < batch; ++i) {
        const bool urgent = source_.urgent();
        push* const item = source_.take(now);
        if (item == nullptr) {
            return;
        }
        route(*item, urgent, whose, now);
        if (whose != nullptr && whose->waiting() >= worth_a_refill) {
            return;
        }
    }
}

void webpush_channel::route(push& item, bool urgent, const line* whose, time_point now) noexcept {
    verdict why;
    line* way = nullptr;
    try {
        way = line_for(item.token, whose, why, now);
    } catch (const std::exception&) {
        why.action = reaction::resend;  // Out of memory.
        why.reason = service_busy;
        why.retry_after = no_room_pause;
        why.of_one_service = true;
    }
    if (way == nullptr) {
        source_.settle(item, why, now);
        return;
    }
    note_routed(*way);
    way->add(item, urgent, now);
}

void webpush_channel::note_routed(line& way) noexcept {
    ++way.routed;
    if (++routed_ < routed_remembered) {
        return;
    }
    routed_ = 0;
    for (auto& [authority, which] : places_) {
        which.way->routed /= 2;
        routed_ += which.way->routed;
    }
}

std::size_t webpush_channel::coming(const line& whose, duration within) const noexcept {
    return routed_ == 0 ? 0 : (source_.backlog(within) * whose.routed + routed_ / 2) / routed_;
}

line* webpush_channel::line_for(std::string_view endpoint, const line* whose, verdict& why, time_point) {
    why.of_one_service = true;
    const auto parts = split_endpoint(endpoint);
    if (!parts || parts->path.empty()) {
        why.action = reaction::reject_push;
        why.reason = damaged_keys;
        return nullptr;
    }
    if (const auto known = places_.find(parts->authority); known != places_.end()) {
        return known->second.way.get();
    }
    const std::string origin = origin_of_endpoint(endpoint);
    if (!is_known_push_service(origin) && !is_listed_push_service(origin, service_->services)) {
        why.action = reaction::reject_push;
        why.reason = service_not_allowed;
        return nullptr;
    }
    if (!make_room(whose)) {
        why.action = reaction::resend;
        why.reason = service_busy;
        why.retry_after = no_room_pause;
        return nullptr;
    }
    return &open_line(parts->authority, origin);
}

line& webpush_channel::open_line(std::string_view authority, const std::string& origin) {
    const auto where = parse_https_url(origin, "origin");
    if (where.has_error()) {
        throw std::bad_alloc();  // Cannot be: it was checked when it was registered.
    }
    const bool anywhere = is_listed_push_service(origin, service_->services);
    connection_identity identity{*where, anywhere ? "webpush" : "webpush in public", service_->tls};
    place made;
    made.pool = service_->connections->get(thread_, executor_, identity, policy(anywhere));
    made.way = std::make_unique<line>(wiring_, *made.pool, origin, where->authority);
    line& out = *made.way;
    const auto at = places_.emplace(std::string(authority), std::move(made)).first;
    at->second.pool->attach(out);
    schedule_look();
    return out;
}

/// Forgets the service that has been silent for longest, if there are too many.
bool webpush_channel::make_room(const line* whose) {
    if (places_.size() < most_places) {
        return true;
    }
    auto oldest = places_.end();
    for (auto at = places_.begin(); at != places_.end(); ++at) {
        const line& way = *at->second.way;
        if (&way != whose && way.idle() &&
            (oldest == places_.end() || way.last_used() < oldest->second.way->last_used())) {
            oldest = at;
        }
    }
    if (oldest == places_.end()) {
        return false;
    }
    close(oldest->second);
    places_.erase(oldest);
    return true;
}

bool webpush_channel::may_encrypt(line& whose) noexcept {
    if (whose.allowance != 0) {
        --whose.allowance;
        return true;
    }
    whose.waits_for_turn = true;
    if (!std::exchange(turn_posted_, true)) {
        try {
            boost::asio::post(executor_, [this, alive = std::weak_ptr<void>(alive_)] {
                if (!alive.expired()) {
                    begin_turn();
                }
            });
        } catch (const std::exception&) {
            turn_posted_ = false;  // Out of memory: the next look wakes the line.
        }
    }
    return false;
}

void webpush_channel::begin_turn() noexcept {
    turn_posted_ = false;
    const auto waiting = static_cast<std::size_t>(
        std::ranges::count_if(places_, [](const auto& entry) { return entry.second.way->waits_for_turn; }));
    for (auto& [authority, which] : places_) {
        if (std::exchange(which.way->waits_for_turn, false)) {
            which.way->allowance = std::max<std::size_t>(1, messages_per_turn / waiting);
            which.way->wake();
        }
    }
}

void webpush_channel::schedule_look() {
    if (std::exchange(looking_, true)) {
        return;
    }
    look_.expires_after(look_every);
    look_.async_wait([this, alive = std::weak_ptr<void>(alive_)](const error_code& cancelled) {
        if (!cancelled && !alive.expired()) {
            looking_ = false;
            look();
        }
    });
}

void webpush_channel::look() noexcept {
    const time_point now = time_.now();
    for (auto at = places_.begin(); at != places_.end();) {
        line& way = *at->second.way;
        if (way.idle() && now - way.last_used() > forget_after) {
            close(at->second);
            places_.erase(at++);
            continue;
        }
        way.look(now);
        ++at;
    }
    if (!places_.empty()) {
        try {
            schedule_look();
        } catch (const std::exception&) {
            looking_ = false;  // Out of memory for a timer: the next service that is opened begins again.
        }
    }
}

channel_statistics webpush_channel::statistics() const {
    channel_statistics out;
    bool anybody_free = false;
    for (const auto& [authority, which] : places_) {
        const http2::pool_statistics numbers = which.pool->statistics();
        out.in_flight += which.way->in_flight() + which.way->waiting();
        out.connections_ready += numbers.ready;
        out.connections_connecting += numbers.connecting;
        out.connections_draining += numbers.draining;
        anybody_free = anybody_free || (numbers.ready != 0 && numbers.saturated != numbers.ready);
    }
    out.saturated = out.connections_ready != 0 && !anybody_free;
    return out;
}

}  // namespace tocsin::webpush
