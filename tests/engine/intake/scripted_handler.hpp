#pragma once

#include "engine/core/error.hpp"
#include "engine/intake/intake_stream.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/client.hpp"
#include "engine/redis/error.hpp"
#include "engine/redis/request.hpp"
#include "engine/redis/streams.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::testing {

/// Handles what it is given, but for entries that say how they fail: then it handles none.
class scripted_handler final : public entry_handler {
public:
    scripted_handler(redis::client& redis, const keyspace& keys) : redis_(redis), key_(keys.receipts()) {}

    [[nodiscard]] const incoming_stream& stream() const noexcept override { return receipt_stream; }
    [[nodiscard]] std::size_t batch_size() const noexcept override { return batch; }
    [[nodiscard]] std::chrono::milliseconds takeover(
        std::chrono::milliseconds lease) const noexcept override {
        return takeover_after.value_or(lease);
    }
    boost::asio::awaitable<result<>> handle(std::vector<redis::stream_entry>& entries) override {
        if (on_handle) {
            on_handle();
        }
        for (const redis::stream_entry& entry : entries) {
            const std::string word = word_of(entry);
            ++tried[word];
            if (fails.contains(word)) {
                co_return why;
            }
            if (word == "away" && away) {
                co_return redis::redis_errc::timed_out;
            }
        }
        redis::request acknowledge;
        for (const redis::stream_entry& entry : entries) {
            ++handled[word_of(entry)];
            acknowledge.add("XACK", key_, keyspace::group, entry.id);
        }
        co_await redis_.execute(std::move(acknowledge));
        co_return result<>();
    }

    std::set<std::string> fails;
    redis::redis_errc why = redis::redis_errc::unexpected_reply;
    bool away = true;
    std::map<std::string, std::size_t> tried;    ///< How often each was looked at.
    std::map<std::string, std::size_t> handled;  ///< How often each was handled.
    std::function<void()> on_handle;
    std::size_t batch = 500;
    std::optional<std::chrono::milliseconds> takeover_after;  ///< Instead of the lease.

private:
    static std::string word_of(const redis::stream_entry& entry) {
        return std::string(entry.field("receipt").value_or(std::string_view()));
    }

    redis::client& redis_;
    std::string key_;
};

}  // namespace tocsin::testing
