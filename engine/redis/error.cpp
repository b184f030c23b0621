#include "engine/redis/error.hpp"

namespace tocsin::redis {
namespace {

class category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "redis"; }

    std::string message(int value) const override {
        // No default: a new enumerator must not compile until it has a sentence of its own.
        switch (static_cast<redis_errc>(value)) {
            case redis_errc::connection_lost:
                return "the connection to Redis broke before the answer came; the commands may or may not "
                       "have run";
            case redis_errc::unreachable:
                return "Redis cannot be reached; check redis.url and that the server is running";
            case redis_errc::timed_out:
                return "Redis did not answer in time; look for slow commands (SLOWLOG GET) or an overloaded "
                       "server";
            case redis_errc::protocol:
                return "the peer at redis.url does not speak the Redis protocol; check host and port, and "
                       "redis:// against rediss://";
            case redis_errc::refused:
                return "Redis refused us; check user, password and database in redis.url, that "
                       "redis+cluster:// is for a cluster, and for TLS redis.ca_file and "
                       "redis.certificate_file";
            case redis_errc::overloaded:
                return "too many commands wait to be sent to Redis; it is slower than what is asked of it";
            case redis_errc::closed: return "the Redis client is shutting down";
            case redis_errc::not_routable:
                return "a Redis Cluster cannot run commands about a connection or about all keys, such as "
                       "MULTI and SCAN; this is a defect of the program";
            case redis_errc::unexpected_reply:
                return "Redis gave an answer that the command does not have; is another program using our "
                       "keys?";
            case redis_errc::error_reply:
                return "Redis answered with an error; /readyz and \"redis.refuses\" in the log have its own "
                       "words";
            case redis_errc::declined:
                return "Redis declines to do the work; /readyz and \"redis.refuses\" in the log have its own "
                       "words and what to do";
            case redis_errc::damaged:
                return "what Redis holds under one of our keys is nothing that Tocsin has written; "
                       "docs/reference/redis-keys.md says what belongs there";
        }
        return "unknown Redis error";
    }
};

}  // namespace

const boost::system::error_category& redis_category() noexcept {
    static const category instance;
    return instance;
}

}  // namespace tocsin::redis
