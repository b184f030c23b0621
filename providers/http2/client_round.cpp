#include "providers/http2/client_round.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tocsin::http2 {

void client_round::detach(const client& who) {
    std::erase_if(clients_, [&](const attached& entry) { return entry.who == &who; });
}

void client_round::wake(const client& who) noexcept {
    for (attached& entry : clients_) {
        entry.woken = entry.woken || entry.who == &who;
    }
}

void client_round::begin() noexcept {
    for (attached& entry : clients_) {
        entry.ready = entry.ready || std::exchange(entry.woken, false);
    }
}

client* client_round::next() const noexcept {
    std::size_t chosen = clients_.size();
    for (std::size_t i = 0; i < clients_.size(); ++i) {
        const std::size_t place = (turn_ + i) % clients_.size();
        const attached& entry = clients_[place];
        if (!entry.ready || !may_open_more(*entry.who)) {
            continue;
        }
        if (entry.who->urgent()) {
            chosen = place;
            break;
        }
        chosen = chosen == clients_.size() ? place : chosen;
    }
    return chosen == clients_.size() ? nullptr : clients_[chosen].who;
}

void client_round::had_its_turn(const client& who) noexcept {
    const auto found = std::ranges::find(clients_, &who, [](const attached& entry) { return entry.who; });
    turn_ = static_cast<std::size_t>(found - clients_.begin()) + 1;
}

void client_round::done(const client& who) noexcept {
    for (attached& entry : clients_) {  // Its place may have moved: clients come and go.
        entry.ready = entry.ready && entry.who != &who;
    }
}

bool client_round::anybody_ready() const noexcept {
    return std::ranges::any_of(
        clients_, [this](const attached& entry) { return entry.ready && may_open_more(*entry.who); });
}

std::size_t client_round::limit() const noexcept {
    return clients_.size() == 1 ? std::numeric_limits<std::size_t>::max() : most_of_one_;
}

std::size_t client_round::backlog(duration within) const noexcept {
    std::size_t sum = 0;
    for (const attached& entry : clients_) {
        sum += entry.who->backlog(within);
    }
    return sum;
}

bool client_round::anybody_urgent() const noexcept {
    return std::ranges::any_of(clients_, [](const attached& entry) { return entry.who->urgent(); });
}

void client_round::tell(const peer_word& said) const noexcept {
    for (const attached& entry : clients_) {
        entry.who->on_peer_word(said);
    }
}

void client_round::tell_dial_failed(const error_code& why) const noexcept {
    for (const attached& entry : clients_) {
        entry.who->on_dial_failed(why);
    }
}

}  // namespace tocsin::http2
