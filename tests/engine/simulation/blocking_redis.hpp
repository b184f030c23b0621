#pragma once

#include "engine/core/error.hpp"
#include "engine/redis/client.hpp"
#include "engine/redis/pipeline.hpp"
#include "engine/redis/reply.hpp"
#include "engine/redis/request.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>

namespace tocsin::testing {

class blocking_redis;

/// Where Redis is to be found: the server that whoever connects now gets to.
class redis_address {
public:
    redis_address() = default;
    redis_address(const redis_address&) = delete;
    redis_address& operator=(const redis_address&) = delete;
    [[nodiscard]] virtual blocking_redis& server() noexcept = 0;
    /// Called before `which` is asked something: what is under way between servers arrives, so that a history
    /// is the same each time.
    virtual void let_arrive(const blocking_redis& which) { static_cast<void>(which); }

protected:
    ~redis_address() = default;
};

/// A connection to a real Redis over which a request is answered before ask() returns: what the simulation
/// lets happen, happens at that very moment, so a history is the same each time. The order of bytes, and the
/// scripts, are redis::pipeline's.
class blocking_redis final : public redis_address {
public:
    explicit blocking_redis(const std::string& socket_path);
    ~blocking_redis();

    [[nodiscard]] blocking_redis& server() noexcept override { return *this; }
    /// Whether a replica follows the server: then a WAIT waits for it however long it takes in a real world,
    /// and else for next to nothing.
    void expect_replica(bool there) noexcept {
        replica_patience_ = std::chrono::milliseconds(there ? 20'000 : 1);
    }

    /// A read that would wait for news (BLOCK) is answered as if its time were over.
    [[nodiscard]] redis::replies ask(redis::request what);

private:
    redis::pipeline line_;
    std::chrono::milliseconds replica_patience_{1};
    int socket_;
};

/// The same behind the engine's own interface, for what a test does itself.
class direct_redis final : public redis::client {
public:
    explicit direct_redis(redis_address& where) : where_(where) {}
    boost::asio::awaitable<result<redis::replies>> execute(redis::request what) override {
        if (what.empty()) {
            co_return redis::replies();
        }
        co_return where_.server().ask(std::move(what));
    }

private:
    redis_address& where_;
};

}  // namespace tocsin::testing
