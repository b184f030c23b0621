#pragma once

#include "engine/audience/audience.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/event/receipt.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace tocsin {

/// What of an event never changes once it is planned, as far as its receipts are concerned.
struct receipt_terms {
    std::string entry;  ///< Of the stream of events: another one means another event under the same id.
    bool asked = false;
    bool begun = false;  ///< Its first push may have left.
    std::set<std::string, std::less<>> apps;
    audience whom;
    std::set<commune_id> named_communes;  ///< Of the devices that it names.

    [[nodiscard]] bool targets(commune_id where) const noexcept;
};

/// What became of one receipt.
enum class receipt_fate : std::uint8_t {
    counted,
    repeated,     ///< Its batch was counted before.
    late,         ///< Its window was over.
    overflow,     ///< The event has more batches than are remembered.
    damaged,      ///< What Redis holds where its batch belongs is something else.
    other_event,  ///< The terms are not those of the event that Redis holds by now: nothing was counted.
};

/// Counts receipts in the ledgers of their events, each batch once.
class receipt_book {
public:
    /// More batches an event does not remember; then its backend is to sum up.
    static constexpr std::uint64_t most_batches = 5'000'000;

    receipt_book(redis::client& redis, keyspace keys) : redis_(redis), keys_(std::move(keys)) {}

    /// Null if there is no such event. redis_errc::damaged: its ledger is something else.
    boost::asio::awaitable<result<std::shared_ptr<const receipt_terms>>> terms_of(std::string event);

    /// A receipt that agrees with its event's terms, and when it was handed in.
    struct handed_in {
        const receipt* what = nullptr;
        wall_time at{};
    };
    /// Counts receipts of one event in one step, however many; one fate each, in their order. Safe to repeat.
    boost::asio::awaitable<result<std::vector<receipt_fate>>> count(
        std::string event, std::string entry, std::vector<handed_in> receipts);

    [[nodiscard]] const keyspace& keys() const noexcept { return keys_; }
    [[nodiscard]] redis::client& connection() noexcept { return redis_; }

private:
    redis::client& redis_;
    keyspace keys_;
};

}  // namespace tocsin
