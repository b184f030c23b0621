#include "providers/webpush/key_reserve.hpp"

#include "engine/runtime/timer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

namespace tocsin::webpush {
namespace {

namespace asio = boost::asio;

constexpr std::size_t keys_per_turn = 16;  // An eighth of a millisecond.

}  // namespace

key_reserve::key_reserve(
    asio::any_io_executor executor, const time_source& time, encryptor cipher, std::size_t most)
    : executor_(std::move(executor)), time_(time), cipher_(std::move(cipher)), keys_(most) {}

std::size_t key_reserve::size() const noexcept {
    const std::lock_guard lock(guard_);
    return count_;
}

void key_reserve::replenish() noexcept {
    {
        const std::lock_guard lock(guard_);
        if (filling_ || count_ == keys_.size()) {
            return;
        }
        filling_ = true;
    }
    try {
        asio::co_spawn(executor_, fill(shared_from_this()), asio::detached);
    } catch (const std::exception&) {
        const std::lock_guard lock(guard_);
        filling_ = false;  // Out of memory: the next key that is taken tries again.
    }
}

std::size_t key_reserve::take(std::span<ephemeral_key> out) noexcept {
    std::size_t given = 0;
    {
        const std::lock_guard lock(guard_);
        taken_ = true;
        while (given < out.size() && count_ != 0) {
            out[given++].take_from(keys_[--count_]);
        }
    }
    replenish();
    return given;
}

bool key_reserve::in_demand() noexcept {
    const std::lock_guard lock(guard_);
    return std::exchange(taken_, false);
}

key_reserve::progress key_reserve::make_one() noexcept {
    ephemeral_key made;
    if (!cipher_.make_key(made)) {
        const std::lock_guard lock(guard_);
        filling_ = false;
        return progress::ended;
    }
    const std::lock_guard lock(guard_);
    keys_[count_++].take_from(made);
    filling_ = count_ != keys_.size();
    if (!filling_) {
        return progress::ended;
    }
    return taken_ ? progress::in_demand : progress::made;
}

key_reserve::progress key_reserve::make_some() noexcept {
    progress how = progress::made;
    for (std::size_t i = 0; i < keys_per_turn && how == progress::made; ++i) {
        how = make_one();
    }
    return how;
}

asio::awaitable<void> key_reserve::fill(std::shared_ptr<key_reserve> self) {
    timer pause(self->executor_, self->time_);
    progress how = progress::in_demand;
    while (how == progress::in_demand) {
        do {
            co_await pause.wait_for(rest);
        } while (self->in_demand());
        how = self->make_some();
        while (how == progress::made) {
            co_await asio::post(self->executor_, asio::use_awaitable);
            how = self->make_some();
        }
    }
}

}  // namespace tocsin::webpush
