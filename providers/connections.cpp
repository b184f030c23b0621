#include "providers/connections.hpp"

#include <utility>

namespace tocsin {
namespace {

/// One TLS context stands for one set of trust roots and client certificate.
std::string peer_of(const connection_identity& identity) {
    return identity.where.authority + '|' +
           std::to_string(reinterpret_cast<std::uintptr_t>(identity.tls.get()));
}

/// What stands under `name`, made if it is not there; what nobody holds any more is forgotten.
template <class T>
std::shared_ptr<T> common(std::map<std::string, std::weak_ptr<T>>& all, const std::string& name) {
    std::erase_if(all, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<T>& place = all[name];
    auto known = place.lock();
    if (known == nullptr) {
        known = std::make_shared<T>();
        place = known;
    }
    return known;
}

}  // namespace

connection_registry::connection_registry(
    std::size_t threads, const time_source& time, logger& log, std::uint64_t random_seed)
    : time_(time), log_(log), threads_(threads) {
    for (slot& each : threads_) {
        each.random.seed(random_seed++);
    }
}

std::shared_ptr<http2::pool> connection_registry::get(
    std::size_t thread, const boost::asio::any_io_executor& executor, const connection_identity& identity,
    const http2::pool_policy& policy) {
    slot& mine = threads_.at(thread);
    const std::string peer = peer_of(identity);
    std::erase_if(mine.pools, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<http2::pool>& place = mine.pools[peer + '|' + identity.credential];
    if (auto present = place.lock()) {
        return present;
    }
    http2::endpoint where;
    where.host = identity.where.host;
    where.port = identity.where.port;
    where.its_clock = clock_of(where.host);
    where.its_ticket = common(mine.tickets, peer);
    http2::thread_commons shared{mine.rounds.lock(), mine.dials.lock(), mine.buffers.lock()};
    if (shared.rounds == nullptr) {
        shared.rounds = std::make_shared<http2::turns>(executor, time_);
        shared.dials = std::make_shared<http2::dial_gate>();
        shared.buffers = std::make_shared<http2::thread_buffers>();
        mine.rounds = shared.rounds;
        mine.dials = shared.dials;
        mine.buffers = shared.buffers;
    }
    auto made = std::make_shared<http2::pool>(
        executor, std::move(where), identity.tls, policy, std::move(shared), time_, log_, mine.random());
    place = made;
    return made;
}

std::shared_ptr<peer_clock> connection_registry::clock_of(const std::string& host) {
    const std::scoped_lock lock(mutex_);
    return common(clocks_, host);
}

}  // namespace tocsin
