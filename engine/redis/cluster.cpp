#include "engine/redis/cluster.hpp"

#include "engine/redis/connection.hpp"
#include "engine/redis/error.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace tocsin::redis {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

/// How often the slots are learnt anew, at most.
constexpr auto refresh_interval = 500ms;
/// For each node that is asked for them.
constexpr auto refresh_patience = std::chrono::milliseconds(2'000);
/// Before a command is repeated that has to wait for something to pass.
constexpr auto repeat_pause = 50ms;
/// Two nodes may send us to each other until the news of a migration has reached both.
constexpr std::uint32_t quick_redirections = 5;
constexpr std::uint32_t max_redirections = 32;

asio::awaitable<bool> is_cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace

cluster::cluster(
    asio::any_io_executor executor, address where, const time_source& time, logger& log,
    client_options options)
    : executor_(std::move(executor)),
      where_(std::move(where)),
      dialer_(std::make_shared<dialer>(executor_)),
      time_(time),
      log_(log),
      options_(options),
      refreshed_(executor_) {}

void cluster::close() noexcept {
    if (std::exchange(closed_, true)) {
        return;
    }
    for (const auto& [name, node] : nodes_) {
        node->link->close();
    }
    for (const auto& node : retired_) {
        if (const auto alive = node.lock()) {
            alive->link->close();
        }
    }
    refreshed_.notify_all();
}

bool cluster::connected() const noexcept {
    return std::any_of(
        nodes_.begin(), nodes_.end(), [](const auto& named) { return named.second->link->connected(); });
}

// --- Requests --------------------------------------------------------------------------------

asio::awaitable<result<replies>> cluster::execute(std::shared_ptr<cluster> self, request what) {
    if (what.empty()) {
        co_return replies();
    }
    // A cancelled coroutine would throw at its next co_await; here, and only here, it is a value.
    const bool callers_choice = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto answer = co_await carry_out(std::move(self), std::move(what));
    co_await asio::this_coro::throw_if_cancelled(callers_choice);
    co_return answer;
}

asio::awaitable<result<replies>> cluster::carry_out(std::shared_ptr<cluster> self, request what) {
    cluster_errand job(std::move(what));
    if (!job.routable()) {
        co_return redis_errc::not_routable;
    }
    const time_point until = self->time_.now() + self->options_.reply_timeout + job.extra_delay();
    std::uint32_t redirections = 0;
    asio::steady_timer timer(self->executor_);
    while (!job.finished()) {
        const error_code unknown = co_await need_map(self, until);
        if (unknown) {
            co_return unknown;
        }
        sent now = self->send(job);
        co_await wait_for(now);
        const bool cancelled = co_await is_cancelled();
        if (cancelled) {
            for (const auto& part : now.parts) {
                part->node->link->abandon(*part);
            }
            co_return error_code(asio::error::operation_aborted);
        }
        const bool last = self->time_.now() >= until || redirections >= max_redirections;
        const cluster_errand::verdict how = job.take(std::move(now.parts), last);
        for (const redirection& moved : how.moved) {
            self->map_.move(moved.slot, moved.to);
        }
        if (how.refresh || !how.moved.empty() || now.unserved) {
            self->refresh_soon();
        }
        if (how.failure) {
            co_return how.failure;
        }
        if (now.unserved && last) {
            co_return job.given_up();
        }
        redirections += how.redirected ? 1 : 0;
        if (how.pause || now.unserved || redirections > quick_redirections) {
            timer.expires_after(repeat_pause);
            co_await timer.async_wait(as_value);
        }
    }
    co_return job.collect();
}

asio::awaitable<error_code> cluster::need_map(std::shared_ptr<cluster> self, time_point until) {
    asio::steady_timer timer(self->executor_);
    for (;;) {
        const bool cancelled = co_await is_cancelled();
        if (cancelled) {
            co_return error_code(asio::error::operation_aborted);
        }
        if (self->closed_) {
            co_return redis_errc::closed;
        }
        if (!self->map_.empty()) {
            co_return error_code();
        }
        self->refresh_soon();
        if (self->refreshing_) {
            co_await self->refreshed_.wait();
        } else {
            timer.expires_after(repeat_pause);
            co_await timer.async_wait(as_value);
        }
        if (self->map_.empty() && !self->refreshing_ && self->refresh_failure_ == redis_errc::refused) {
            co_return redis_errc::refused;
        }
        if (self->map_.empty() && self->time_.now() >= until) {
            co_return redis_errc::unreachable;
        }
    }
}

asio::awaitable<void> cluster::wait_for(sent& what) {
    while (what.round->open > 0) {
        co_await what.round->signal.async_wait(as_value);
        const bool cancelled = co_await is_cancelled();
        if (cancelled) {
            co_return;
        }
    }
}

cluster::node_ptr cluster::node_at(const endpoint& where) {
    node_ptr& node = nodes_[where.to_string()];
    if (node == nullptr) {
        node = std::make_shared<cluster_node>(
            where,
            std::make_shared<connection>(
                executor_, where_.at(where), dialer_, time_, log_, options_, connection::patience::refuses));
        node->link->tell(refusals_);
    }
    return node;
}

std::vector<cluster::node_ptr> cluster::destinations(const cluster_errand& job, std::size_t index) {
    const cluster_errand::command& one = job[index];
    if (one.ask) {
        return {node_at(*one.ask)};
    }
    if (one.to == command_route::destination::key) {
        const auto owner = map_.owner(one.slot);
        return owner ? std::vector{node_at(map_.masters()[*owner])} : std::vector<node_ptr>();
    }
    std::vector<node_ptr> masters;
    for (const endpoint& where : map_.masters()) {
        masters.push_back(node_at(where));
    }
    if (one.to == command_route::destination::any_master) {
        // One that answers, if there is one; else each in turn.
        const auto up =
            std::ranges::find_if(masters, [](const node_ptr& node) { return node->link->connected(); });
        const std::size_t turn = static_cast<std::size_t>(refusals_->count()) % masters.size();
        return {up != masters.end() ? *up : masters[turn]};
    }
    return masters;
}

cluster::sent cluster::send(cluster_errand& job) {
    sent out;
    out.round = std::make_shared<cluster_round>(executor_);
    std::vector<cluster_parcel> parcels;
    job.begin_round();
    for (std::size_t i = 0; i < job.size(); ++i) {
        if (job[i].answered) {
            continue;
        }
        const bool asking = job[i].ask.has_value();
        const std::vector<node_ptr> whom = destinations(job, i);
        out.unserved = out.unserved || whom.empty();
        for (const node_ptr& node : whom) {
            auto found = std::ranges::find_if(parcels, [&](const cluster_parcel& candidate) {
                return candidate.node == node && candidate.asking == asking;
            });
            if (found == parcels.end()) {
                parcels.push_back({node, asking, {}, {}});
                found = std::prev(parcels.end());
            }
            job.add_to(*found, i);
        }
    }
    for (cluster_parcel& parcel : parcels) {
        const auto part = std::make_shared<cluster_part>(std::move(parcel), out.round);
        part->failure = part->node->link->submit(part);
        out.round->open += part->failure ? 0 : 1;
        out.parts.push_back(part);
    }
    return out;
}

// --- The slots -------------------------------------------------------------------------------

void cluster::refresh_soon() {
    if (refreshing_ || closed_ || (last_refresh_ && time_.now() - *last_refresh_ < refresh_interval)) {
        return;
    }
    refreshing_ = true;
    asio::co_spawn(
        executor_, refresh(shared_from_this()), [self = shared_from_this()](const std::exception_ptr&) {
            // Thrown is, in practice, that memory is out: the next request tries again.
            self->refreshing_ = false;
            self->last_refresh_ = self->time_.now();
            self->refreshed_.notify_all();
        });
}

asio::awaitable<void> cluster::refresh(std::shared_ptr<cluster> self) {
    const error_code before = self->refresh_failure_;
    self->refresh_failure_ = co_await self->learn();
    if (!self->refresh_failure_ || self->closed_) {
        co_return;
    }
    self->refusals_->note_failure();
    if (self->refresh_failure_ != before) {  // Once per change, not once per attempt.
        const std::string why = self->refresh_failure_.message();
        self->log_.warning(
            "redis.cluster_not_found",
            {{"address", self->where_.describe()},
             {"reason", self->refresh_problem_.empty() ? why : why + " (" + self->refresh_problem_ + ')'}});
    }
}

std::vector<endpoint> cluster::whom_to_ask() const {
    std::vector<endpoint> out;
    const auto add = [&out](const endpoint& where) {
        if (std::ranges::find(out, where) == out.end()) {
            out.push_back(where);
        }
    };
    for (const auto& [name, node] : nodes_) {
        if (node->link->connected()) {
            add(node->where);
        }
    }
    std::ranges::for_each(map_.masters(), add);
    std::ranges::for_each(where_.seeds, add);
    return out;
}

asio::awaitable<error_code> cluster::learn() {
    error_code why = redis_errc::unreachable;
    refresh_problem_.clear();
    const std::vector<endpoint> candidates = whom_to_ask();
    for (const endpoint& candidate : candidates) {
        const address peer = where_.at(candidate);
        request ask("CLUSTER", "SLOTS");
        std::string detail;
        const auto answer = co_await dialer_->ask(
            peer, std::move(ask), std::min(refresh_patience, options_.connect_timeout), detail);
        if (closed_) {
            co_return redis_errc::closed;
        }
        if (answer.has_error()) {
            // A wrong password is worth more than that another node is down.
            why = answer.error() == redis_errc::refused ? answer.error() : why;
            refresh_problem_ =
                candidate.to_string() + ": " + (detail.empty() ? answer.error().message() : detail);
            continue;
        }
        auto learnt = slot_map::parse(answer->front(), candidate);
        if (learnt.has_value() && !learnt->empty()) {
            adopt(std::move(*learnt));
            co_return error_code();
        }
        refresh_problem_ = candidate.to_string() + " says that no node of its cluster has any slots";
    }
    co_return why;
}

void cluster::adopt(slot_map learnt) {
    const auto sorted = [](std::vector<endpoint> nodes) {
        std::ranges::sort(nodes, {}, &endpoint::to_string);
        return nodes;
    };
    if (sorted(map_.masters()) != sorted(learnt.masters())) {
        log_.info(
            "redis.cluster_found", {{"address", where_.describe()}, {"masters", learnt.masters().size()}});
    }
    map_ = std::move(learnt);
    std::erase_if(retired_, [](const auto& node) { return node.expired(); });
    std::erase_if(nodes_, [this](const auto& named) {
        if (std::ranges::find(map_.masters(), named.second->where) != map_.masters().end()) {
            return false;
        }
        retired_.emplace_back(named.second);
        return true;
    });
}

}  // namespace tocsin::redis
