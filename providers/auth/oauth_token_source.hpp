#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/net/tls_context.hpp"
#include "providers/auth/provider_token.hpp"
#include "providers/auth/service_account.hpp"
#include "providers/common/token_slot.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace tocsin::auth {

/// Keeps the access token of one service account fresh, for all threads.
///
/// One coroutine on one executor asks, so there is never more than one request; everybody else
/// reads slot(). The token is renewed some minutes before it dies and served until it does.
///
///     auto source = oauth_token_source(executor, std::move(account), tls, time, log, seed);
///     auto waiting = source.subscribe(my_executor, [this] { wake(); });
///     if (const issued_token* token = cache_.get(source.slot())) { … }
class oauth_token_source {
    class implementation;
    struct subscriber;

public:
    /// Nothing is asked before start() or the first subscription. The executor's context must
    /// outlive this, and run handlers of `executor` one at a time.
    oauth_token_source(
        boost::asio::any_io_executor executor, service_account account,
        std::shared_ptr<const net::tls_context> tls, const time_source& time, logger& log,
        std::uint64_t random_seed);
    oauth_token_source(const oauth_token_source&) = delete;
    oauth_token_source& operator=(const oauth_token_source&) = delete;
    ~oauth_token_source();

    /// Callable from any thread, and more than once.
    void start();

    /// Holds no token before the first one came, and from the death of one to the next.
    [[nodiscard]] const token_slot& slot() const noexcept;

    /// A reader's wish to be told. Destroyed on the thread of the reader's executor; the callback is
    /// not called after that.
    class subscription {
    public:
        subscription() noexcept = default;
        subscription(subscription&&) noexcept = default;
        subscription& operator=(subscription&& other) noexcept;
        ~subscription() { cancel(); }

    private:
        friend class oauth_token_source;
        explicit subscription(std::shared_ptr<subscriber> inner) noexcept : inner_(std::move(inner)) {}
        void cancel() noexcept;
        std::shared_ptr<subscriber> inner_;
    };

    /// Calls `on_token` on `executor` each time that a new token is there.
    [[nodiscard]] subscription subscribe(
        const boost::asio::any_io_executor& executor, std::function<void()> on_token);

    /// A request written at `written_at` was answered 401. The token is withdrawn and a new one asked
    /// for, once, however many requests are told so. A token that is refused within a minute of its coming,
    /// and within a minute of one that was given up for the same reason, is `too_young`, and not renewed.
    [[nodiscard]] renewal refresh_after_rejection(time_point written_at, time_point now);

    [[nodiscard]] credential_state state() const;

private:
    std::shared_ptr<implementation> implementation_;
};

}  // namespace tocsin::auth
