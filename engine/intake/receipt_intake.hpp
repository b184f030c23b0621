#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/event/receipt.hpp"
#include "engine/intake/intake_stream.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/dead_letters.hpp"
#include "engine/plan/event_preparer.hpp"
#include "engine/plan/receipt_book.hpp"

#include <boost/asio/awaitable.hpp>

#include <array>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// Whether what a receipt says can be true of its event, as far as its terms tell.
[[nodiscard]] parsed<> check_receipt(
    const receipt& what, const receipt_terms* event, const event_preparer& known);

/// Reads the `receipts` stream. Any number of engines do so at a time: a batch counts once, whoever reads it,
/// and the order does not matter. One script a batch of entries and event, however many entries there are.
class receipt_intake final : public entry_handler {
public:
    receipt_intake(
        redis::client& redis, keyspace keys, dead_letters& letters, const event_preparer& known,
        const time_source& time, logger& log, metrics_shard& metrics);

    [[nodiscard]] const incoming_stream& stream() const noexcept override { return receipt_stream; }
    boost::asio::awaitable<result<>> handle(std::vector<redis::stream_entry>& entries) override;

private:
    struct item {
        const redis::stream_entry* entry = nullptr;
        receipt what;
    };
    using terms = std::shared_ptr<const receipt_terms>;

    boost::asio::awaitable<result<>> read(
        const redis::stream_entry& entry, std::vector<item>& good, std::vector<std::string>& done);
    boost::asio::awaitable<result<>> handle_event(std::vector<item> of_one, std::vector<std::string>& done);
    boost::asio::awaitable<result<>> count(
        const receipt_terms& event, std::vector<item> fitting, std::vector<std::string>& done);
    boost::asio::awaitable<result<>> refuse(const redis::stream_entry& entry, refusal why);
    boost::asio::awaitable<result<>> acknowledge(std::vector<std::string> entries);
    /// Null if there is no such event. Remembers the latest few.
    boost::asio::awaitable<result<terms>> terms_of(std::string event);
    void forget(std::string_view event);

    receipt_book book_;
    dead_letters& letters_;
    const event_preparer& known_;
    const time_source& time_;
    logger& log_;
    std::array<owned_counter*, receipt_kind_count> devices_{};  ///< Counted, by kind.
    owned_counter& counted_;
    owned_counter& repeated_;
    owned_counter& refused_;
    std::list<std::pair<std::string, terms>> remembered_;  ///< The latest first.
};

}  // namespace tocsin
