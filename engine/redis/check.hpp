#pragma once

#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/redis/reply.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>

namespace tocsin::redis {

/// For pipelines in which no command may fail: an error reply becomes the code that code_for() has for
/// it, and `text`, if given, Redis' own sentence about the first one.
///
///     result<replies> got = checked(co_await redis.execute(std::move(commands)));
[[nodiscard]] result<replies> checked(result<replies> answer, std::string* text = nullptr);

/// The same, and logs "redis.command_failed" with that sentence; `purpose` says in a word or two
/// what the commands were for.
[[nodiscard]] result<replies> checked(result<replies> answer, logger& log, std::string_view purpose);

/// Redis is there, and did not do what was asked: that may be a matter of those keys and of no others.
[[nodiscard]] bool may_be_the_keys(const error_code& why) noexcept;

class client;
class request;

/// Executes a pipeline in which no command may fail.
[[nodiscard]] boost::asio::awaitable<result<replies>> execute_checked(client& redis, request what);
/// The same, if all that matters is that the commands were carried out.
[[nodiscard]] boost::asio::awaitable<result<>> carry_out(client& redis, request what);

}  // namespace tocsin::redis
