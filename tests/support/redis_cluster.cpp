#include "tests/support/redis_cluster.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include <poll.h>

namespace tocsin::testing {
namespace {

constexpr std::size_t slots = 16384;

std::uint16_t first_slot(std::size_t master) {
    return static_cast<std::uint16_t>(master * slots / redis_cluster::masters);
}

}  // namespace

redis_cluster::redis_cluster(std::size_t replicas, const redis_server_options& options) : options_(options) {
    options_.cluster = true;
    for (std::size_t i = 0; i < masters + replicas; ++i) {
        nodes_.push_back(std::make_unique<redis_server>(options_));
        options_.certificate_of = options_.tls ? node(0).ca_file() : "";
        // Distinct epochs from the start, or nodes would first have to settle which yields.
        node(i).cli({"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
        if (i < masters) {
            node(i).cli(
                {"CLUSTER", "ADDSLOTSRANGE", std::to_string(first_slot(i)),
                 std::to_string(first_slot(i + 1) - 1)});
        }
    }
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
        node(0).cli(
            {"CLUSTER", "MEET", "127.0.0.1", std::to_string(node(i).port()),
             std::to_string(node(i).bus_port())});
    }
    wait_until_all_say("cluster_known_nodes:" + std::to_string(nodes_.size()));
    wait_until_all_say("cluster_state:ok");
    for (std::size_t i = masters; i < nodes_.size(); ++i) {
        node(i).cli({"CLUSTER", "REPLICATE", id(0)});
    }
    for (std::size_t i = masters; i < nodes_.size(); ++i) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (node(i).cli({"INFO", "replication"}).find("master_link_status:up") == std::string::npos) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error("the replica does not follow\n" + node(i).log());
            }
            poll(nullptr, 0, 5);
        }
    }
}

void redis_cluster::wait_until_all_say(std::string_view line) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (const auto& one : nodes_) {
        while (one->cli({"CLUSTER", "INFO"}).find(line) == std::string::npos) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error("the cluster does not come together\n" + one->log());
            }
            poll(nullptr, 0, 5);
        }
    }
}

std::string redis_cluster::url(std::size_t first) const {
    std::string out = options_.tls ? "rediss+cluster://" : "redis+cluster://";
    if (!options_.password.empty()) {
        out += ':' + options_.password + '@';
    }
    for (std::size_t i = first; i < nodes_.size(); ++i) {
        out += (i == first ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(node(i).port());
    }
    return out;
}

std::string redis_cluster::id(std::size_t number) const {
    return node(number).cli({"CLUSTER", "MYID"});
}

std::size_t redis_cluster::owner(std::uint16_t slot) noexcept {
    std::size_t master = masters - 1;
    while (slot < first_slot(master)) {
        --master;
    }
    return master;
}

void redis_cluster::begin_migration(std::uint16_t slot, std::size_t from, std::size_t to) const {
    node(to).cli({"CLUSTER", "SETSLOT", std::to_string(slot), "IMPORTING", id(from)});
    node(from).cli({"CLUSTER", "SETSLOT", std::to_string(slot), "MIGRATING", id(to)});
}

void redis_cluster::move_key(const std::string& key, std::size_t from, std::size_t to) const {
    node(from).cli({"MIGRATE", "127.0.0.1", std::to_string(node(to).port()), key, "0", "5000"});
}

void redis_cluster::end_migration(std::uint16_t slot, std::size_t to) const {
    node(to).cli({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", id(to)});
    for (std::size_t i = 0; i < masters; ++i) {
        if (i != to) {
            node(i).cli({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", id(to)});
        }
    }
}

std::size_t redis_cluster::errors(std::string_view kind) const {
    // "errorstat_MOVED:count=3"
    const std::string name = "errorstat_" + std::string(kind) + ":count=";
    std::size_t sum = 0;
    for (const auto& one : nodes_) {
        const std::string stats = one->cli({"INFO", "errorstats"});
        if (const std::size_t at = stats.find(name); at != std::string::npos) {
            sum += std::stoul(stats.substr(at + name.size()));
        }
    }
    return sum;
}

}  // namespace tocsin::testing
