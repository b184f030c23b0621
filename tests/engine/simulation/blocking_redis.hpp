#pragma once

#include "engine/core/error.hpp"
#include "engine/redis/client.hpp"
#include "engine/redis/pipeline.hpp"
#include "engine/redis/reply.hpp"
#include "engine/redis/request.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace tocsin::testing {

/// A connection to a real Redis over which a request is answered before ask() returns: what the simulation
/// lets happen, happens at that very moment, so a history is the same each time. The order of bytes, and the
/// scripts, are redis::pipeline's.
class blocking_redis {
public:
    explicit blocking_redis(const std::string& socket_path);
    blocking_redis(const blocking_redis&) = delete;
    blocking_redis& operator=(const blocking_redis&) = delete;
    ~blocking_redis();

    /// A read that would wait for news (BLOCK) is answered as if its time were over.
    [[nodiscard]] redis::replies ask(redis::request what);

private:
    redis::pipeline line_;
    int socket_;
};

/// The same behind the engine's own interface, for what a test does itself.
class direct_redis final : public redis::client {
public:
    explicit direct_redis(blocking_redis& through) : through_(through) {}
    boost::asio::awaitable<result<redis::replies>> execute(redis::request what) override {
        if (what.empty()) {
            co_return redis::replies();
        }
        co_return through_.ask(std::move(what));
    }

private:
    blocking_redis& through_;
};

}  // namespace tocsin::testing
