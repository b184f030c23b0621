#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/provider.hpp"
#include "providers/apns/judgement.hpp"
#include "providers/apns/traits.hpp"
#include "providers/auth/provider_token.hpp"
#include "providers/common/credential_health.hpp"
#include "providers/common/response_counters.hpp"
#include "providers/common/token_slot.hpp"
#include "providers/http2/client.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace tocsin::apns {

/// What the lines of a channel work with; all of it outlives them.
struct line_wiring {
    const std::string& app;
    push_source& source;
    const time_source& time;
    logger& log;
    response_counters& counters;
    credential_health& health;
    auth::provider_token* token;  ///< Null: the connection's certificate speaks for us.
};

/// One app's way to one environment of APNs on one thread: makes requests of pushes, and verdicts of
/// answers. Knows no connection; a pool asks it.
///
/// The source hands out pushes of both environments in one order, so a line may draw a push that is
/// the other's. It hands it over: the other line has a short queue that it empties first. Production
/// never waits for development: when the sandbox's queue is full its pushes are put off, while a
/// full production queue merely stops the sandbox line from drawing.
class line final : public http2::client {
public:
    static constexpr std::size_t production_queue_limit = 64;
    static constexpr std::size_t sandbox_queue_limit = 1024;

    /// `wake_pool` says to the pool that this line may have something to send.
    line(const line_wiring& wiring, std::string authority, bool sandbox, std::function<void()> wake_pool);
    line(const line&) = delete;
    line& operator=(const line&) = delete;

    /// Makes the two lines of a channel known to each other. Without it a line sends all pushes,
    /// whichever environment they are for.
    static void pair(line& production, line& sandbox) noexcept;

    /// Draws pushes until this line has one to send, so that no connection is opened in vain. Of a
    /// pair, called on the production line. True if it has one, or cannot know, because what comes
    /// first in the source is for a sandbox whose queue is full.
    [[nodiscard]] bool look_for_work(time_point now) noexcept;
    /// Wakes the pool if there is something in the queue.
    void wake_if_filled();
    /// Gives back what expired in the queue: with APNs out of reach nobody draws from it, and who
    /// counts these pushes would wait for ever.
    void drop_over(time_point now) noexcept;
    [[nodiscard]] bool has_queued() const noexcept { return queued_ != 0; }

    [[nodiscard]] bool next_request(
        std::uint64_t connection, time_point now, http2::request& out) noexcept override;
    [[nodiscard]] bool urgent() const noexcept override;
    [[nodiscard]] std::size_t backlog(duration within) const noexcept override;
    [[nodiscard]] http2::connection_advice on_response(const http2::response& answer) noexcept override;
    void on_failure(const http2::failed_request& failed) noexcept override;
    void on_peer_word(const http2::peer_word& said) noexcept override;

    /// Pushes that were drawn and not settled: queued, or on a connection.
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_ + queued_; }
    [[nodiscard]] std::size_t open_requests() const noexcept override { return in_flight_; }

private:
    [[nodiscard]] push* draw(time_point now) noexcept;
    [[nodiscard]] push* take_queued(time_point now) noexcept;
    [[nodiscard]] bool queue_full() const noexcept;
    [[nodiscard]] push& dequeue() noexcept;
    [[nodiscard]] bool give_back_if_over(push& item, time_point now) noexcept;
    void enqueue(push& item) noexcept;
    void refuse(push& item, reaction action, std::string_view reason, time_point now) noexcept;
    [[nodiscard]] bool belongs_elsewhere(const push& item) const noexcept;
    [[nodiscard]] bool fill(push& item, const issued_token* token, http2::request& out) noexcept;
    /// What the table cannot know: what was said before, and how old the token is.
    [[nodiscard]] http2::connection_advice weigh(judgement& given, const http2::response& answer) noexcept;
    /// Says what is wrong with the credential; true if it concerns development alone.
    bool report(const reason_row& row, std::string_view reason, std::string_view meaning) noexcept;
    void note_token(const issued_token& token, std::uint64_t connection) noexcept;
    /// After a connection has called our token expired without answering a request: what stands in the way
    /// of another token, for people; empty if nothing does.
    [[nodiscard]] std::string_view renew(std::uint64_t connection) noexcept;

    line_wiring wiring_;
    std::string authority_;
    bool sandbox_;
    std::function<void()> wake_pool_;
    line* other_ = nullptr;

    push* first_ = nullptr;  // The hand-over queue, linked through push::next.
    push* last_ = nullptr;
    std::size_t queued_ = 0;
    std::size_t in_flight_ = 0;

    token_cache token_;
    time_point token_from_{};
    std::uint64_t newest_connection_ = 0;
    std::uint64_t newest_of_older_token_ = 0;  ///< The newest connection that carried the token before this.
    credential_health sandbox_health_;
    std::uint64_t unrelated_key_connection_ = 0;

    static constexpr std::string_view path_start = "/3/device/";
    std::array<char, path_start.size() + 2 * max_token> path_{};
    std::array<char, 36> apns_id_{};
};

}  // namespace tocsin::apns
