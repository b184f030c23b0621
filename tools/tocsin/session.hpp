#pragma once

#include "engine/audience/territories.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/ops/config.hpp"
#include "engine/ops/settings.hpp"
#include "engine/redis/client.hpp"
#include "providers/factory.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"

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
#include <type_traits>
#include <utility>
#include <vector>

namespace tocsin::cli {

/// Where a problem of the configuration is told.
using problem_sink = std::function<void(std::string_view)>;

/// The configuration, or nothing after every problem was told.
[[nodiscard]] std::optional<settings> read_settings(
    const common_options& common, const problem_sink& tell, app_keys keys = app_keys::used);
/// The configuration; if it has problems, each is told and the command ends (exit 78).
[[nodiscard]] settings load_settings(const common_options& common, app_keys keys = app_keys::used);

/// Whether there is an app at all; told if not: an engine without one would refuse every event.
[[nodiscard]] bool serves_an_app(const settings& how, const problem_sink& tell);

/// The territories it names, or the end of the command (exit 78).
[[nodiscard]] territories load_territories(const settings& how);

/// Whether every commune that an app names exists; told if not.
[[nodiscard]] bool communes_exist(const settings& how, const territories& places, const problem_sink& tell);

/// What an engine needs beside its settings.
struct engine_grounds {
    territories places;
    redis::address where;  ///< Of Redis.
};
/// Looks whether there is all of it, and an app; if not, everything that is missing is told and the command
/// ends (exit 78).
[[nodiscard]] engine_grounds load_grounds(const settings& how);

/// The providers of all apps, or the end of the command (exit 78).
[[nodiscard]] std::vector<std::shared_ptr<provider>> open_providers(
    const settings& how, const provider_runtime& runtime);

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
    /// Ends the command if redis.url is none (exit 78).
    explicit redis_session(const settings& how);

    /// Runs `work` to its end. An error ends the command (exit 69).
    template <class T>
    T run(boost::asio::awaitable<result<T>> work) {
        auto out = ask(std::move(work));
        if (out.has_error()) {
            throw command_end(exit_unreachable, complaint_about(out.error()));
        }
        if constexpr (!std::is_void_v<T>) {
            return std::move(*out);
        }
    }
    /// The same for what the command can do without: an error is told, and returned.
    template <class T>
    result<T> attempt(boost::asio::awaitable<result<T>> work) {
        auto out = ask(std::move(work));
        if (out.has_error()) {
            complain(complaint_about(out.error()));
        }
        return out;
    }
    /// The same, for a caller that tells the error itself.
    template <class T>
    [[nodiscard]] result<T> ask(boost::asio::awaitable<result<T>> work) {
        result<T> out = error_code();  // Of what a coroutine throws, nobody knows what it means.
        loop_.restart();
        boost::asio::co_spawn(
            loop_, std::move(work), [this, &out](const std::exception_ptr& failure, result<T> value) {
                if (!failure) {
                    out = std::move(value);
                }
                loop_.stop();
            });
        loop_.run();
        return out;
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
    [[nodiscard]] std::string complaint_about(error_code why) const;

    boost::asio::io_context loop_;
    system_time_source time_;
    dial_log log_;
    std::string where_;
    redis::client client_;
    keyspace keys_;
};

/// Adds an event to the stream that engines read; the id of its entry.
[[nodiscard]] boost::asio::awaitable<result<std::string>> add_event(
    redis_session& redis, std::string document);

/// What a command works on that needs the settings and Redis, and no more.
struct opened_session {
    explicit opened_session(const common_options& common)
        : how(load_settings(common, app_keys::unused)), redis(how) {}

    settings how;
    redis_session redis;
};

}  // namespace tocsin::cli
