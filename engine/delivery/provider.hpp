#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/push.hpp"
#include "engine/delivery/verdict.hpp"
#include "engine/event/publish_event.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// The port: what the engine asks of a push service, and what it offers in return. The engine owns
// these interfaces and knows none of their implementations.

namespace tocsin {

class metrics_shard;

/// An event rendered for one app and platform: everything but the token. Immutable, shared by
/// all pushes of the event and by all threads.
class message {
public:
    virtual ~message() = default;
    /// Which localisation a device of `locale` gets: exact match, then language, then the default (0).
    [[nodiscard]] virtual std::uint16_t variant_for(std::string_view locale) const noexcept = 0;
    /// Size of the largest variant, in bytes as the provider counts them.
    [[nodiscard]] virtual std::size_t largest_payload() const noexcept = 0;
    /// The event's own override says to which app, or as what, it is sent: refusals may be its doing.
    [[nodiscard]] virtual bool overridden() const noexcept { return false; }
};

/// Where a channel gets its work and leaves its answers: one app on one platform on one thread.
/// Implemented by the engine; every call comes from the thread of the channel.
class push_source {
public:
    /// The push to write next, most urgent first; null if there is none or if a limit says "not yet".
    /// In the second case the source calls channel::wake() when the time has come.
    [[nodiscard]] virtual push* take(time_point now) noexcept = 0;
    /// True if a critical push waits: the channel then does not gather before it writes.
    [[nodiscard]] virtual bool urgent() const noexcept = 0;
    /// Pushes that it could hand out within that time: those that wait and those that are about to be read,
    /// as far as its limits let them go. What connections are opened for; 0 if it cannot tell.
    [[nodiscard]] virtual std::size_t backlog(duration within) const noexcept {
        static_cast<void>(within);
        return 0;
    }
    /// For a channel that keeps a push for a while between take() and writing it: false once it is not to be
    /// sent any more, because its event is over or its device was forgotten. It goes back as
    /// reaction::resend then.
    [[nodiscard]] virtual bool wanted(const push& item, time_point now) const noexcept {
        static_cast<void>(item);
        static_cast<void>(now);
        return true;
    }
    /// Ends a take(): exactly one call for each push that was taken.
    virtual void settle(push& item, const verdict& what, time_point now) noexcept = 0;
    /// The provider refuses the app's credential before any push is answered (a TLS alert, GOAWAY). `reason`
    /// is a word as in verdict::reason.
    virtual void refuse_credential(std::string_view reason, time_point now) noexcept {
        static_cast<void>(reason);
        static_cast<void>(now);
    }

protected:
    ~push_source() = default;
};

/// Whether an app can send on a platform at this moment, for /readyz, metrics and the log.
struct credential_state {
    bool usable = true;
    /// A sentence an operator can act on; empty if there is none. With a usable credential it concerns a part
    /// of the devices alone.
    std::string problem;
    std::optional<wall_time> issued_at;
    std::optional<wall_time> expires_at;
};

struct channel_statistics {
    std::size_t in_flight = 0;
    std::size_t connections_ready = 0;
    std::size_t connections_connecting = 0;
    std::size_t connections_draining = 0;
    bool saturated = false;  ///< Streams or windows of every connection are used up: the provider's limit.
};

/// The sending side of one app on one platform on one thread.
class channel {
public:
    virtual ~channel() = default;
    /// There may be something to take. Cheap, and callable at any time from the channel's thread.
    virtual void wake() = 0;
    /// push_source::backlog() has grown: a time to connect, though there may be nothing to take yet.
    virtual void prepare() {}
    [[nodiscard]] virtual channel_statistics statistics() const = 0;
};

/// What a channel is given to live on.
struct channel_context {
    boost::asio::any_io_executor executor;
    std::size_t thread = 0;  ///< 0 … threads - 1.
    const time_source& time;
    logger& log;
    metrics_shard& metrics;
    push_source& source;
};

/// One app on one platform. Shared by all threads; everything it holds is immutable or guarded.
class provider {
public:
    virtual ~provider() = default;
    [[nodiscard]] virtual const std::string& app() const noexcept = 0;
    [[nodiscard]] virtual platform kind() const noexcept = 0;

    /// Renders the event once and checks its size against the provider's limit. The refusal names
    /// what is wrong ("payload_too_large", "invalid_override", …) before the first push is made.
    [[nodiscard]] virtual parsed<std::shared_ptr<const message>> render(const publish_event& event) const = 0;

    /// Opens nothing yet: connections are made when there is something to send.
    [[nodiscard]] virtual std::unique_ptr<channel> open(const channel_context& context) = 0;

    [[nodiscard]] virtual credential_state credential() const = 0;

    /// The shortest time before a push that was refused for a while is tried again, unless the
    /// provider named one; later tries wait longer.
    [[nodiscard]] virtual std::chrono::milliseconds retry_floor() const noexcept {
        return std::chrono::seconds(1);
    }

    /// What its provider's quota belongs to: apps with the same word use up the same one.
    [[nodiscard]] virtual std::string quota() const { return app() + "/" + std::string(to_string(kind())); }

    /// What `reason` with `status` means and what a person can do, in one or two sentences. What the engine
    /// does is not its matter: that follows from the reaction.
    [[nodiscard]] virtual std::string explain(std::uint16_t status, std::string_view reason) const = 0;
};

}  // namespace tocsin
