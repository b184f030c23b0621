#include "engine/delivery/worker.hpp"

#include <utility>

namespace tocsin {

namespace asio = boost::asio;

worker::worker(
    asio::any_io_executor executor, std::size_t thread, redis::client& redis, keyspace keys,
    store_sizing sizing, platform_set platforms, const engine_settings& how, const time_source& time,
    logger& log, metrics_shard& metrics, sending_listener& listener)
    : ledger_(redis, keys, how.instance),
      store_(redis, keys, platforms, std::move(sizing)),
      pruner_(store_, ledger_, platforms, time, log, removal_terms_of(how)),
      pages_(executor, ledger_, store_, pruner_, time, log, how.replica_wait, how.event_retention),
      quotas_(redis, keys, time, how.ramp_up),
      how_(how),
      here_{executor, thread, platforms, how_, time, log, metrics, ledger_, pages_, quotas_, load_, listener},
      tasks_(executor, time) {}

std::uint64_t worker::rate_of(const target& which) const {
    if (const auto said = controls_.rates.find(which); said != controls_.rates.end()) {
        return said->second;
    }
    const auto configured = rates_.find(which);
    return configured == rates_.end() ? 0 : configured->second;
}

void worker::set_providers(
    const std::vector<std::shared_ptr<provider>>& providers, std::map<target, std::uint64_t> rates,
    std::uint64_t generation) {
    rates_ = std::move(rates);
    generation_ = generation;
    providers_.clear();
    for (const auto& one : providers) {
        providers_.emplace(target{one->app(), one->kind()}, one);
    }
    for (auto& [which, sender] : senders_) {
        const auto found = providers_.find(which);
        if (found == providers_.end()) {
            sender->reload(nullptr, generation);
        } else {
            sender->reload(found->second, generation);
            sender->obey(controls_, rate_of(which));
        }
    }
}

void worker::set_controls(const control_state& state) {
    controls_ = state;
    for (auto& [which, sender] : senders_) {
        sender->obey(controls_, rate_of(which));
    }
}

void worker::forget(const std::vector<removed_device>& devices) {
    for (const removed_device& one : devices) {
        if (const auto found = senders_.find(one.which); found != senders_.end()) {
            found->second->forget(one.token);
        }
    }
}

target_sender& worker::sender_of(const target& which) {
    auto& sender = senders_[which];
    if (sender == nullptr) {
        sender = std::make_unique<target_sender>(here_, which, providers_.at(which), generation_);
        sender->obey(controls_, rate_of(which));
    }
    return *sender;
}

void worker::expect(const target& which) {
    if (!stopping_ && providers_.contains(which)) {
        sender_of(which).expect();
    }
}

void worker::assign(std::shared_ptr<active_event> event, const target& which, claimed_shard work) {
    if (controls_.cancelling.contains(event->id)) {
        event->cancelled.store(true, std::memory_order_relaxed);
    }
    if (stopping_ || !providers_.contains(which)) {
        tasks_.spawn(hand_back({event->id, which, std::move(work.entry)}));
    } else {
        sender_of(which).assign(std::move(event), std::move(work));
    }
}

asio::awaitable<void> worker::hand_back(shard_ticket which) {
    co_await ledger_.release(which.event, which.which, which.entry);
    here_.listener.shard_left(std::move(which));
}

asio::awaitable<void> worker::renew_leases() {
    for (auto& [which, sender] : senders_) {
        const auto renewed = co_await sender->renew_leases();
        if (renewed.has_error()) {
            co_return;
        }
    }
}

asio::awaitable<void> worker::stop(time_point answers_until, time_point end) {
    stopping_ = true;
    for (auto& [which, sender] : senders_) {
        tasks_.spawn(sender->stop(answers_until, end));
    }
    co_await tasks_.wait_until(end);
}

std::vector<lane_status> worker::status() const {
    std::vector<lane_status> out;
    for (const auto& [which, sender] : senders_) {
        out.push_back(sender->status());
    }
    return out;
}

}  // namespace tocsin
