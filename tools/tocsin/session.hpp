#pragma once

#include "engine/audience/territories.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/ops/settings.hpp"
#include "engine/redis/client.hpp"
#include "engine/redis/error.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace tocsin::cli {

/// Where a problem of the configuration is told.
using problem_sink = std::function<void(std::string_view)>;

/// The configuration, or nothing after every problem was told (exit 78).
[[nodiscard]] std::optional<settings> load_settings(
    const common_options& common, const problem_sink& tell = complain);

/// Whether there is an app at all; told if not: an engine without one would refuse every event.
[[nodiscard]] bool serves_an_app(const settings& how, const problem_sink& tell = complain);

/// The territories it names, or nothing after a word on standard error (exit 78).
[[nodiscard]] std::optional<territories> load_territories(const settings& how);

/// Whether every commune that an app names exists; told if not.
[[nodiscard]] bool communes_exist(
    const settings& how, const territories& places, const problem_sink& tell = complain);

/// Where Redis is, or nothing after a word on standard error (exit 78).
[[nodiscard]] std::optional<redis::address> redis_address(const settings& how);

/// Keeps the reason of the last connection that could not be opened, and nothing else.
class dial_log final : public logger {
public:
    [[nodiscard]] bool enabled(log_level level) const noexcept override {
        return level >= log_level::warning;
    }
    void write(log_level, std::string_view event, std::span<const log_field> fields) noexcept override;
    [[nodiscard]] const std::string& last() const noexcept { return last_; }

private:
    std::string last_;
};

/// What a command needs of Redis: one connection, and one coroutine at a time run to its end.
class redis_session {
public:
    /// Nothing after a word on standard error, if redis.url is none (exit 78).
    [[nodiscard]] static std::unique_ptr<redis_session> open(const settings& how);

    /// Runs `work` to its end. An error is told on standard error; the caller exits 69.
    template <class T>
    [[nodiscard]] std::optional<T> run(boost::asio::awaitable<result<T>> work) {
        std::optional<result<T>> out;
        start(std::move(work), out);
        if (!out || out->has_error()) {
            tell(out ? out->error() : error_code());
            return std::nullopt;
        }
        return std::optional<T>(std::move(**out));
    }
    [[nodiscard]] bool run(boost::asio::awaitable<result<>> work);
    /// The same, for a caller that tells the error itself.
    template <class T>
    [[nodiscard]] result<T> ask(boost::asio::awaitable<result<T>> work) {
        std::optional<result<T>> out;
        start(std::move(work), out);
        return out ? std::move(*out) : result<T>(redis::redis_errc::closed);
    }

    /// What an error means, with what the connection said if it could not be opened.
    [[nodiscard]] std::string sentence_about(error_code why) const;

    [[nodiscard]] redis::client& redis() noexcept { return client_; }
    /// The address, without its password.
    [[nodiscard]] const std::string& where() const noexcept { return where_; }
    [[nodiscard]] const keyspace& keys() const noexcept { return keys_; }
    [[nodiscard]] boost::asio::io_context& loop() noexcept { return loop_; }
    [[nodiscard]] const time_source& time() const noexcept { return time_; }

private:
    redis_session(redis::address where, std::string prefix);

    template <class T>
    void start(boost::asio::awaitable<result<T>> work, std::optional<result<T>>& out) {
        loop_.restart();
        boost::asio::co_spawn(
            loop_, std::move(work), [this, &out](const std::exception_ptr& failure, result<T> value) {
                if (!failure) {
                    out.emplace(std::move(value));
                }
                loop_.stop();
            });
        loop_.run();
    }
    void tell(error_code why) const;

    boost::asio::io_context loop_;
    system_time_source time_;
    dial_log log_;
    std::string where_;
    redis::client client_;
    keyspace keys_;
};

/// What a command works on that needs the settings and Redis, and no more.
struct opened_session {
    settings how;
    std::unique_ptr<redis_session> redis;  ///< Never null.
};
/// Nothing after a word on standard error (exit 78).
[[nodiscard]] std::optional<opened_session> open_session(const common_options& common);

}  // namespace tocsin::cli
