#include "engine/intake/stream_consumer.hpp"

#include "engine/redis/error_replies.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tocsin {

namespace asio = boost::asio;

asio::awaitable<result<stream_consumer::batch>> stream_consumer::read(redis::request what) {
    auto answer = co_await redis_.execute(std::move(what));
    if (answer.has_error()) {
        co_return answer.error();
    }
    if (answer->front().is_error()) {
        // A group that is gone (FLUSHALL, a failover to an older copy) is made again after start_over().
        co_return redis::code_for(answer->front().text());
    }
    batch out;
    out.storage = std::make_unique<redis::replies>(std::move(*answer));
    auto batches = redis::parse_batches(out.storage->front());
    if (batches.has_error()) {
        co_return batches.error();
    }
    for (auto& one : *batches) {
        out.entries = std::move(one.entries);
    }
    co_return out;
}

asio::awaitable<result<stream_consumer::batch>> stream_consumer::next(std::chrono::milliseconds at_most) {
    const redis::group_reader now{how_.group, how_.consumer, how_.count, std::nullopt};
    const std::array<std::string, 1> streams{how_.stream};
    if (!group_exists_) {
        const auto made = co_await redis::ensure_group(redis_, how_.stream, how_.group);
        if (made.has_error()) {
            co_return made.error();
        }
        group_exists_ = true;
    }
    if (!own_from_.empty()) {
        auto own = co_await read(redis::read_group(now, streams, own_from_));
        if (own.has_error() || !own->entries.empty()) {
            if (own.has_value()) {
                own_from_ = own->entries.back().id;
            }
            co_return own;
        }
        own_from_.clear();
    }
    if (time_.now() >= next_takeover_) {
        next_takeover_ = time_.now() + std::max<duration>(how_.takeover / 3, std::chrono::seconds(3));
        auto answer = co_await redis_.execute(redis::claim_idle(now, how_.stream, how_.takeover));
        if (answer.has_error()) {
            co_return answer.error();
        }
        batch out;
        out.storage = std::make_unique<redis::replies>(std::move(*answer));
        auto claimed = redis::parse_claimed(out.storage->front());
        if (claimed.has_error()) {
            co_return claimed.error();
        }
        if (!claimed->entries.empty()) {
            out.entries = std::move(claimed->entries);
            co_return out;
        }
    }
    const redis::group_reader blocking{how_.group, how_.consumer, how_.count, std::min(how_.block, at_most)};
    auto fresh = co_await read(redis::read_group(blocking, streams));
    if (fresh.has_value()) {
        fresh->fresh = true;
    }
    co_return fresh;
}

}  // namespace tocsin
