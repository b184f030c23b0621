#pragma once

#include "engine/core/error.hpp"
#include "engine/redis/address.hpp"
#include "engine/redis/command_list.hpp"
#include "engine/redis/command_route.hpp"
#include "engine/redis/connection.hpp"
#include "engine/redis/pipeline.hpp"
#include "engine/redis/reply.hpp"
#include "engine/redis/reply_merger.hpp"
#include "engine/redis/request.hpp"
#include "engine/redis/slot_map.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace tocsin::redis {

/// A node that a cluster client talks to. Whoever still waits for it keeps it.
struct cluster_node {
    cluster_node(endpoint at, std::shared_ptr<connection> over)
        : where(std::move(at)), link(std::move(over)) {}
    cluster_node(const cluster_node&) = delete;
    cluster_node& operator=(const cluster_node&) = delete;
    ~cluster_node() { link->close(); }

    endpoint where;
    std::shared_ptr<connection> link;
};

/// Everything that was sent at once. The timer is the signal that all of it is done.
struct cluster_round {
    explicit cluster_round(const boost::asio::any_io_executor& executor)
        : signal(executor, boost::asio::steady_timer::time_point::max()) {}

    std::size_t open = 0;  ///< Parts that are not done.
    boost::asio::steady_timer signal;
};

/// What one node is to be asked in one round.
struct cluster_parcel {
    std::shared_ptr<cluster_node> node;
    bool asking = false;  ///< Another node has sent us here, for these commands only.
    request what;
    /// Which commands of the errand it holds, and where the reply of each will stand.
    std::vector<std::pair<std::size_t, std::size_t>> commands;
};

/// A parcel on its way.
struct cluster_part final : operation {
    cluster_part(cluster_parcel parcel, std::shared_ptr<cluster_round> in)
        : operation(std::move(parcel.what)),
          node(std::move(parcel.node)),
          commands(std::move(parcel.commands)),
          round(std::move(in)) {}
    void on_done() noexcept override;

    std::shared_ptr<cluster_node> node;
    std::vector<std::pair<std::size_t, std::size_t>> commands;
    std::shared_ptr<cluster_round> round;
};

/// A request on its way through a cluster: which of its commands are answered, and how to go on with
/// the others. It knows no connection and no clock.
class cluster_errand {
public:
    explicit cluster_errand(request what);

    struct command {
        command_route::destination to = command_route::destination::key;
        std::uint16_t slot = 0;
        std::optional<endpoint> ask;  ///< Once, instead of the owner of the slot.
        std::size_t copies = 0;       ///< How many nodes were asked in this round and have not answered.
        bool answered = false;
        bool has_answer = false;  ///< Of some of the nodes, if several are asked.
        bool is_error = false;
        reply_merger::source answer;
    };

    /// False if a command can be sent to no node.
    [[nodiscard]] bool routable() const noexcept { return routable_; }
    [[nodiscard]] bool finished() const noexcept { return left_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return commands_.size(); }
    [[nodiscard]] const command& operator[](std::size_t index) const noexcept { return commands_[index]; }
    /// What the request said with expect_delay().
    [[nodiscard]] std::chrono::milliseconds extra_delay() const noexcept { return list_.extra_delay(); }

    void add_to(cluster_parcel& parcel, std::size_t index);
    /// Before the commands that are left are added to the parcels of a new round.
    void begin_round() noexcept;

    /// How a round went on.
    struct verdict {
        error_code failure;    ///< The errand is over.
        bool pause = false;    ///< Something has to pass first.
        bool refresh = false;  ///< The slots are no longer as we thought.
        bool redirected = false;
        std::vector<redirection> moved;
    };
    /// Takes in the answers of a round whose parts are all done. A failure says that commands did not
    /// run only if none of the request has. If `last`, refusals that would be
    /// tried again are answers.
    [[nodiscard]] verdict take(std::vector<std::shared_ptr<cluster_part>> parts, bool last);

    /// Why it is given up if some of its commands have nowhere to go.
    [[nodiscard]] error_code given_up() const noexcept;

    /// The replies in the order of the request.
    [[nodiscard]] replies collect();

private:
    enum class taken : std::uint8_t { answer, again };
    taken take_reply(const cluster_part& part, std::size_t index, const reply& got, bool last, verdict& out);
    void fail(error_code why, bool last, verdict& out) const;

    command_list list_;
    std::vector<command> commands_;
    std::vector<std::shared_ptr<cluster_part>> answered_;
    std::size_t left_ = 0;
    bool routable_ = true;
    bool ran_ = false;
};

}  // namespace tocsin::redis
