#include "engine/delivery/lane_runner.hpp"
#include "engine/delivery/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <utility>

// What a worker sends through, and what was rendered for it.

namespace tocsin {
namespace {

namespace asio = boost::asio;

// Messages rendered anew after a reload that are kept at hand.
constexpr std::size_t most_rendered = 1'000;

}  // namespace

std::shared_ptr<const message> worker::render(const active_event& event, const target& which) {
    if (event.generation == generation_) {
        const auto found = event.messages.find(which);
        return found == event.messages.end() ? nullptr : found->second;
    }
    std::pair key(event.id, which);
    if (const auto found = rendered_.find(key); found != rendered_.end()) {
        return found->second;
    }
    const auto through = providers_.find(which);
    if (through == providers_.end()) {
        return nullptr;
    }
    auto made = through->second->render(event.content);
    if (made.has_error()) {
        log_.error(
            "event.cannot_be_rendered",
            {{"event_id", event.id}, {"target", to_string(which)}, {"reason", made.error().message}});
        return nullptr;
    }
    if (rendered_.size() >= most_rendered) {
        rendered_.clear();
    }
    return rendered_.emplace(std::move(key), std::move(*made)).first->second;
}

void worker::set_providers(
    std::vector<std::shared_ptr<provider>> providers, std::map<target, std::uint64_t> rates,
    std::uint64_t generation) {
    rates_ = std::move(rates);
    generation_ = generation;
    rendered_.clear();
    providers_.clear();
    for (auto& one : providers) {
        target which{one->app(), one->kind()};
        providers_.emplace(std::move(which), std::move(one));
    }
    for (auto& [which, runner] : lanes_) {
        runner->retire_channel();
        const auto found = providers_.find(which);
        if (found == providers_.end()) {
            runner->through.reset();
            continue;  // Its shards wait until the app is back.
        }
        for (const auto& shard : held_) {
            if (shard->which == which) {
                // Kept until the shard has gone: what is in flight still points into it.
                shard->replaced.push_back(std::move(shard->content));
                shard->content = render(*shard->event, which);
            }
        }
        for (const auto& [key, open] : open_) {
            const auto& shard = open->from();
            if (shard->which == which && shard->content != nullptr) {
                open->replace_content(*shard->content);
                if (auto* const reception = open->reception(); reception != nullptr) {
                    reception->forget();
                }
            }
        }
        runner->open_channel(found->second);
        runner->line.resume();
        obey(*runner);
        runner->wake();
    }
}

lane_runner& worker::runner_for(const target& which) {
    if (const auto found = lanes_.find(which); found != lanes_.end()) {
        return *found->second;
    }
    const auto& through = providers_.at(which);
    lane_settings how;
    how.max_attempts = how_.max_attempts;
    how.retries.floor = through->retry_floor();
    how.rate = rate_of(which);
    const std::uint64_t seed = event_seed(to_string(which) + how_.instance) + thread_;
    lane_events tell;
    tell.page_done = [this](page& what) { page_done(what); };
    tell.page_nearly_done = [this, which] {
        const auto found = lanes_.find(which);
        if (found != lanes_.end() && !found->second->shards.empty()) {
            found->second->changed.wake_all();
        }
    };
    tell.look_at = [this, which](time_point when) {
        const auto found = lanes_.find(which);
        if (found != lanes_.end() && when < found->second->look.expiry()) {
            found->second->look.wake_all();
        }
    };
    tell.hungry = [this, which] {
        if (const auto found = lanes_.find(which); found != lanes_.end()) {
            found->second->changed.wake_all();
        }
    };
    tell.slice_wanted = [this, which](const slice_question& asked) {
        asio::co_spawn(executor_, lease_slice(lanes_.at(which), asked), asio::detached);
    };
    tell.quota_used_up = [this, which](std::chrono::milliseconds rest) {
        const auto found = lanes_.find(which);
        if (found != lanes_.end() && found->second->through != nullptr) {
            events_.quota_used_up(found->second->through->quota(), time_.wall_now() + rest);
        }
        asio::co_spawn(executor_, slow_down(which, rest), asio::detached);
    };
    auto runner = std::make_shared<lane_runner>(
        lane_runner::surroundings{executor_, thread_, time_, log_, metrics_}, which, how, seed,
        std::move(tell));
    lanes_.emplace(which, runner);
    runner->open_channel(through);
    obey(*runner);
    asio::co_spawn(executor_, feed(runner), asio::detached);
    asio::co_spawn(executor_, watch(runner), asio::detached);
    return *runner;
}

}  // namespace tocsin
