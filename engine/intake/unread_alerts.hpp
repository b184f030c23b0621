#pragma once

#include "engine/core/error.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/client.hpp"
#include "engine/redis/streams.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// A first look at a document, which costs less than reading it properly.
[[nodiscard]] bool looks_critical(std::string_view document) noexcept;

/// Finds alerts in the part of the stream of events that no engine has read yet. Looks at each entry once,
/// and takes none: whoever reads the stream still gets all of them.
class unread_alerts {
public:
    struct alert {
        std::string entry;
        std::string document;
    };

    unread_alerts(redis::client& redis, const keyspace& keys) : redis_(redis), keys_(keys) {}

    /// Those behind what was looked at before.
    boost::asio::awaitable<result<std::vector<alert>>> look();

private:
    enum class unread : std::uint8_t { unknown, some_perhaps };

    /// Moves on behind what engines have read. Unknown: there is no group yet.
    boost::asio::awaitable<result<unread>> follow_readers();

    redis::client& redis_;
    const keyspace& keys_;
    redis::entry_id seen_;  ///< Up to here everything was read, or looked at.
    redis::entry_id read_;  ///< What engines had read at the last look.
    std::size_t at_once_ = 16;
};

}  // namespace tocsin
