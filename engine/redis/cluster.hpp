#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/redis/address.hpp"
#include "engine/redis/client_options.hpp"
#include "engine/redis/cluster_errand.hpp"
#include "engine/redis/dialer.hpp"
#include "engine/redis/reply.hpp"
#include "engine/redis/request.hpp"
#include "engine/redis/slot_map.hpp"
#include "engine/runtime/wait_queue.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::redis {

/// A Redis Cluster behind the interface of client: one connection to each master that is in use, and
/// each command to the one that has its key.
///
/// Which that is, is learnt at the first request, and again when a node says that it has changed or
/// does not answer.
class cluster : public std::enable_shared_from_this<cluster> {
public:
    cluster(
        boost::asio::any_io_executor executor, address where, const time_source& time, logger& log,
        client_options options);
    cluster(const cluster&) = delete;
    cluster& operator=(const cluster&) = delete;

    /// As client::execute().
    static boost::asio::awaitable<result<replies>> execute(std::shared_ptr<cluster> self, request what);

    void close() noexcept;
    /// To any of the nodes.
    [[nodiscard]] bool connected() const noexcept;
    /// As connection::tell(): of all connections that there ever are, and of attempts to learn the slots.
    void tell(std::shared_ptr<error_replies> refusals) noexcept { refusals_ = std::move(refusals); }

private:
    using node_ptr = std::shared_ptr<cluster_node>;

    static boost::asio::awaitable<result<replies>> carry_out(std::shared_ptr<cluster> self, request what);
    node_ptr node_at(const endpoint& where);
    /// Who is to be asked command `index` now; none: nobody has its slot.
    std::vector<node_ptr> destinations(const cluster_errand& job, std::size_t index);
    struct sent {
        std::shared_ptr<cluster_round> round;
        std::vector<std::shared_ptr<cluster_part>> parts;
        bool unserved = false;  ///< Some commands have no node to go to at this moment.
    };
    /// Sends what is left of `job`, each node its part.
    sent send(cluster_errand& job);
    /// Waits until there is a map of the slots; the error is why there is none by then.
    static boost::asio::awaitable<error_code> need_map(std::shared_ptr<cluster> self, time_point until);
    static boost::asio::awaitable<void> wait_for(sent& what);

    /// Learns the slots, in a coroutine of its own, unless that was done a moment ago.
    void refresh_soon();
    static boost::asio::awaitable<void> refresh(std::shared_ptr<cluster> self);
    boost::asio::awaitable<error_code> learn();
    void adopt(slot_map learnt);
    [[nodiscard]] std::vector<endpoint> whom_to_ask() const;

    boost::asio::any_io_executor executor_;
    address where_;
    std::shared_ptr<dialer> dialer_;
    const time_source& time_;
    logger& log_;
    client_options options_;

    slot_map map_;
    std::map<std::string, node_ptr> nodes_;  ///< By endpoint::to_string(); made when they are needed.
    std::vector<std::weak_ptr<cluster_node>> retired_;  ///< No masters any more; some may owe an answer.
    wait_queue refreshed_;
    std::optional<time_point> last_refresh_;
    error_code refresh_failure_;  ///< Why the last attempt to learn the slots failed; empty: it did not.
    std::string refresh_problem_;
    std::shared_ptr<error_replies> refusals_ = std::make_shared<error_replies>();
    bool refreshing_ = false;
    bool closed_ = false;
};

}  // namespace tocsin::redis
