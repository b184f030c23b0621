#pragma once

#include "engine/core/error.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/client.hpp"
#include "tools/cap/cap_message.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/array.hpp>

#include <string>
#include <vector>

namespace tocsin {

/// What is remembered of a message that was published.
struct cap_record {
    std::vector<std::string>
        events;  ///< Its own, then those that it replaced: whoever was sent to by one of them.
    std::string title;
    boost::json::array audience;
    boost::json::array apps;
    std::string category;
    bool ignores_quiet_hours = false;  ///< It was critical, or followed what was: so does what ends it.
};

/// What becomes of a message that arrives.
struct cap_admission {
    enum class verdict : std::uint8_t {
        fresh,     ///< Call begin(), publish it, call done(). Also if an earlier attempt ended in between.
        repeated,  ///< It was published before.
        late,      ///< A message that replaces it was published before.
    };
    verdict what = verdict::fresh;
    std::string collapse_id;           ///< Of the chain of messages that it belongs to.
    std::vector<cap_record> replaced;  ///< Those that it refers to and that were published.
};

/// Which messages were published, in Redis, for 30 days: so that one that comes again, or late, changes
/// nothing, and a Cancel finds what it ends.
class cap_register {
public:
    cap_register(redis::client& redis, const keyspace& keys) : redis_(redis), keys_(keys) {}

    /// Decides, and writes down that this message is under way and that it replaces what it refers to, in one
    /// step.
    boost::asio::awaitable<result<cap_admission>> admit(const cap_message& message);
    /// Writes down what is about to be added to the stream, so that whoever replaces the message finds it
    /// however little of that has happened. Late: somebody has replaced it, and nothing is to be added.
    boost::asio::awaitable<result<cap_admission::verdict>> begin(
        const cap_message& message, const cap_record& what);
    /// It was added.
    boost::asio::awaitable<result<>> done(const cap_message& message);

private:
    [[nodiscard]] std::string key_of(std::string_view what) const;

    redis::client& redis_;
    const keyspace& keys_;
};

}  // namespace tocsin
