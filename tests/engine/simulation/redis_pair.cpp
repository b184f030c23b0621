#include "tests/engine/simulation/redis_pair.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace tocsin::testing {
namespace {

// Nobody listens there.
constexpr std::uint16_t nowhere = 1;
constexpr int patience_ms = 20'000;

}  // namespace

redis_pair::redis_pair(const redis_server& one, const redis_server& other)
    : servers_{&one, &other},
      nodes_{
          std::make_unique<blocking_redis>(one.socket_path()),
          std::make_unique<blocking_redis>(other.socket_path())} {
    for (const auto& node : nodes_) {
        redis::request how;
        how.add("CONFIG", "SET", "repl-diskless-sync-delay", "0");
        // The end of a full synchronisation is noticed by a round of that clock.
        how.add("CONFIG", "SET", "hz", "500");
        if (node->ask(std::move(how)).first_error()) {
            throw std::runtime_error("a redis-server cannot be set up");
        }
    }
}

void redis_pair::follow(std::size_t node, std::uint16_t port) {
    redis::request what;
    what.add("REPLICAOF", "127.0.0.1", std::to_string(port));
    static_cast<void>(nodes_[node]->ask(std::move(what)));
}

void redis_pair::lead(std::size_t node) {
    redis::request what;
    what.add("REPLICAOF", "NO", "ONE");
    static_cast<void>(nodes_[node]->ask(std::move(what)));
}

/// Until the other server has all that the one at the address has by now.
void redis_pair::wait_for_replica() {
    redis::request what;
    // WAIT is about the writes of its own connection.
    what.add("DEL", "simulation:nothing")
        .add("SET", "simulation:nothing", "")
        .add("DEL", "simulation:nothing");
    what.add("WAIT", 1, patience_ms);
    const auto answer = nodes_[at_]->ask(std::move(what));
    if (answer[3].integer().value_or(0) < 1) {
        throw std::runtime_error("the replica does not keep up\n" + servers_[1 - at_]->log());
    }
}

void redis_pair::let_arrive(const blocking_redis& which) {
    if (replica_follows_ && !demoted_ && &which != nodes_[at_].get()) {
        wait_for_replica();
    }
}

void redis_pair::begin(bool with_replica) {
    lead(0);
    lead(1);
    at_ = 0;
    demoted_ = false;
    have_replica(false);
    for (const auto& node : nodes_) {
        redis::request what;
        what.add("FLUSHALL");
        static_cast<void>(node->ask(std::move(what)));
    }
    if (with_replica) {
        follow(1, servers_[0]->port());
        have_replica(true);
        wait_for_replica();
    }
}

void redis_pair::have_replica(bool there) noexcept {
    replica_follows_ = there;
    nodes_[at_]->expect_replica(there && !demoted_);
    nodes_[1 - at_]->expect_replica(false);
}

void redis_pair::cut_off_replica() {
    follow(1 - at_, nowhere);  // Not a second master: who is still connected to it is to be told so.
    have_replica(false);
}

void redis_pair::demote(fate of_it) {
    survives_ = replica_follows_;
    if (replica_follows_) {
        wait_for_replica();
    }
    demoted_ = true;
    have_replica(replica_follows_);
    if (of_it == fate::isolated) {
        follow(at_, nowhere);
        return;
    }
    lead(1 - at_);
    follow(at_, servers_[1 - at_]->port());
    at_ = 1 - at_;
    wait_for_replica();
    at_ = 1 - at_;
    others_replica_ = true;
}

void redis_pair::promote_other() {
    lead(1 - at_);
    at_ = 1 - at_;
    demoted_ = false;
    have_replica(std::exchange(others_replica_, false));
}

void redis_pair::promote_same() {
    lead(at_);
    demoted_ = false;
    others_replica_ = false;
    follow(1 - at_, nowhere);  // So that it connects at once.
    follow(1 - at_, servers_[at_]->port());
    have_replica(true);
    wait_for_replica();
}

}  // namespace tocsin::testing
