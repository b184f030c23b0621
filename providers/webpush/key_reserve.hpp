#pragma once

#include "engine/core/clock.hpp"
#include "providers/webpush/encryption.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace tocsin::webpush {

/// Key pairs that are made while no message needs one, for the first messages of an alert: a fifth of what
/// these cost. All channels of an engine share it, on whichever threads they are.
///
/// It is filled some moments after it is made, and again when no key has been taken for that long: a few
/// keys a turn of its executor, so that nothing else there is held up.
class key_reserve final : public key_source, public std::enable_shared_from_this<key_reserve> {
public:
    static constexpr std::chrono::milliseconds rest{1'000};

    /// Holds up to `most` keys, which `cipher` makes. `time` must outlive the loop of `executor`.
    key_reserve(
        boost::asio::any_io_executor executor, const time_source& time, encryptor cipher, std::size_t most);

    /// Begins to make keys, if it is not full.
    void replenish() noexcept;
    /// Thread-safe.
    std::size_t take(std::span<ephemeral_key> out) noexcept override;
    [[nodiscard]] std::size_t size() const noexcept;

private:
    enum class progress : std::uint8_t { made, in_demand, ended };

    static boost::asio::awaitable<void> fill(std::shared_ptr<key_reserve> self);
    [[nodiscard]] progress make_some() noexcept;
    [[nodiscard]] progress make_one() noexcept;
    /// True if keys were taken since it was last asked.
    [[nodiscard]] bool in_demand() noexcept;

    boost::asio::any_io_executor executor_;
    const time_source& time_;
    encryptor cipher_;  // Used by fill() alone.
    mutable std::mutex guard_;
    std::vector<ephemeral_key> keys_;  // The first count_ are good.
    std::size_t count_ = 0;
    bool taken_ = false;
    bool filling_ = false;
};

}  // namespace tocsin::webpush
