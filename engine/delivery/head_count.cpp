#include "engine/delivery/head_count.hpp"

#include "engine/delivery/page.hpp"
#include "engine/redis/check.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;

/// What is left to read: taken from by several readers, so that Redis and we do not wait for each other.
class count_work {
public:
    count_work(std::shared_ptr<active_event> event, event_plan plan)
        : event_(std::move(event)), plan_(std::move(plan)) {
        for (const target& which : event_->targets) {
            counts_.emplace_back().which = which;
        }
    }

    struct item {
        std::shared_ptr<active_shard> from;
        std::uint32_t page = 0;
    };
    /// Empty `from`: there is nothing left.
    [[nodiscard]] item next() {
        while (shard_ == nullptr || shard_->next == shard_->pages) {
            if (target_ == plan_.targets.size()) {
                return {};
            }
            auto& part = plan_.targets[target_];
            if (index_ == part.shards.size()) {
                ++target_;
                index_ = 0;
                continue;
            }
            shard_ = std::make_shared<active_shard>();
            shard_->event = event_;
            shard_->which = part.which;
            shard_->work = std::move(part.shards[index_++]);
            shard_->pages = page_count(shard_->work);
        }
        return {shard_, shard_->next++};
    }

    void add(const page& what) {
        const auto found = std::ranges::find(counts_, what.from()->which, &head_count::which);
        found->devices += what.size();
        found->muted += what.count(outcome::muted);
        found->duplicates += what.passed_over();
        found->unread += what.unread_entries();
        if (const auto starts = plan_.when.wave_start(what.number()); starts && what.size() != 0) {
            found->deferred[*starts] += what.size();
        }
    }

    [[nodiscard]] std::vector<head_count> take() { return std::move(counts_); }

private:
    std::shared_ptr<active_event> event_;
    event_plan plan_;
    std::vector<head_count> counts_;
    std::shared_ptr<active_shard> shard_;
    std::size_t target_ = 0;
    std::size_t index_ = 0;
};

asio::awaitable<result<>> read_pages(
    redis::client& redis, const keyspace& keys, platform_set platforms, count_work& work) {
    for (;;) {
        const count_work::item item = work.next();
        if (item.from == nullptr) {
            co_return result<>();
        }
        page what(item.from, item.page, time_point{});
        if (item.from->work.names_devices()) {
            what.fill_listed(nullptr);
            work.add(what);
            continue;
        }
        const std::vector<bucket_run> runs = runs_of_page(item.from->work, item.page);
        redis::request ask;
        ask_for_devices(ask, keys, item.from->which, runs);
        auto answered = co_await redis.execute(std::move(ask));
        auto answer = redis::checked(std::move(answered));
        if (answer.has_error()) {
            co_return answer.error();
        }
        what.fill(std::move(*answer), 0, runs, platforms[item.from->which.on].beginnings(), nullptr);
        work.add(what);
    }
}

}  // namespace

asio::awaitable<result<std::vector<head_count>>> count_heads(
    redis::client& redis, const keyspace& keys, platform_set platforms, std::shared_ptr<active_event> event,
    event_plan plan) {
    using namespace asio::experimental::awaitable_operators;
    count_work work(std::move(event), std::move(plan));
    const auto [one, two, three, four] = co_await (
        read_pages(redis, keys, platforms, work) && read_pages(redis, keys, platforms, work) &&
        read_pages(redis, keys, platforms, work) && read_pages(redis, keys, platforms, work));
    for (const auto* done : {&one, &two, &three, &four}) {
        if (done->has_error()) {
            co_return done->error();
        }
    }
    co_return work.take();
}

}  // namespace tocsin
