#pragma once

#include "engine/core/log.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace tocsin {

/// Finds out whether another process runs under this engine's name. Two of one name are one consumer in
/// Redis: each takes what the other reads for its own, and both send it. Nothing else would tell.
///
/// Each process leaves a word of its own in Redis again and again. Whoever finds another's where his own
/// should be is not alone. What the first look finds is the process before this one, and says nothing.
class name_watch {
public:
    /// `word` must be no other process's. Everything passed by reference must outlive this.
    name_watch(redis::client& redis, const keyspace& keys, std::string name, std::string word, logger& log);

    /// Looks once; to be called more often than every ten seconds. Without an answer nothing changes.
    [[nodiscard]] boost::asio::awaitable<void> look();
    /// Somebody else has the name. No reason to be called unready: both do their work, and some of it twice.
    [[nodiscard]] bool shared() const noexcept { return shared_; }

private:
    redis::client& redis_;
    const std::string name_;
    const std::string key_;
    const std::string word_;
    logger& log_;
    bool looked_ = false;
    bool shared_ = false;
};

}  // namespace tocsin
