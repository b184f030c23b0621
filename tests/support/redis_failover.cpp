#include "tests/support/redis_failover.hpp"

#include <chrono>
#include <cstdint>
#include <stdexcept>

#include <poll.h>

namespace tocsin::testing {
namespace {

constexpr auto patience = std::chrono::seconds(20);

redis_server_options follower_of(const redis_server& master) {
    master.cli({"CONFIG", "SET", "repl-diskless-sync-delay", "0"});
    redis_server_options out;
    out.tcp = true;
    out.extra = {"--replicaof", "127.0.0.1", std::to_string(master.port())};
    return out;
}

redis_server_options watcher_of(const redis_server& master) {
    redis_server_options out;
    out.tcp = true;
    out.config = {
        "sentinel monitor communes 127.0.0.1 " + std::to_string(master.port()) + " 1",
        "sentinel down-after-milliseconds communes 300", "sentinel failover-timeout communes 4000"};
    out.extra = {"--sentinel"};
    return out;
}

void wait_until(const redis_server& server, const std::vector<std::string>& what, const std::string& answer) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    const auto says_so = [&] {
        try {
            return server.cli(what).find(answer) != std::string::npos;
        } catch (const std::runtime_error&) {
            return false;  // A server that changes its role hangs up on its clients.
        }
    };
    while (!says_so()) {
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error(what.front() + " does not say " + answer + "\n" + server.log());
        }
        poll(nullptr, 0, 5);
    }
}

std::uint64_t offset(const redis_server& server) {
    const std::string name = "master_repl_offset:";
    const std::string info = server.cli({"INFO", "replication"});
    return std::stoull(info.substr(info.find(name) + name.size()));
}

}  // namespace

redis_failover::redis_failover(redis_server& master)
    : first_(master), replica_(follower_of(master)), sentinel_(watcher_of(master)), master_(&master) {
    wait_until(sentinel_, {"SENTINEL", "master", "communes"}, "num-slaves\n1");
    wait_until(sentinel_, {"SENTINEL", "replicas", "communes"}, "master-link-status\nok");
}

std::string redis_failover::url() const {
    return "redis+sentinel://127.0.0.1:" + std::to_string(sentinel_.port()) + "/communes";
}

void redis_failover::wait_until_replicated() const {
    const std::uint64_t wanted = offset(first_);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (offset(replica_) < wanted) {
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error("the replica does not catch up\n" + replica_.log());
        }
        poll(nullptr, 0, 5);
    }
}

void redis_failover::cut_off_replica() const {
    // A stopped process would read what is on its way when it goes on; one that is hung up on and not let in
    // again never gets it.
    first_.cli({"ACL", "SETUSER", "default", "-psync", "-sync"});
    first_.cli({"CLIENT", "KILL", "TYPE", "replica"});
}

void redis_failover::kill_master() {
    first_.kill();
    wait_until(replica_, {"ROLE"}, "master");
    master_ = &replica_;
}

}  // namespace tocsin::testing
