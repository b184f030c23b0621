#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/delivery/push_queue.hpp"
#include "providers/common/credential_health.hpp"
#include "providers/common/response_counters.hpp"
#include "providers/http2/client.hpp"
#include "providers/http2/pool.hpp"
#include "providers/webpush/answers.hpp"
#include "providers/webpush/body_store.hpp"
#include "providers/webpush/encryption.hpp"
#include "providers/webpush/message.hpp"
#include "providers/webpush/service_state.hpp"
#include "providers/webpush/vapid.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin::webpush {

class line;

/// What a line asks of the channel that it belongs to.
class line_owner {
public:
    /// Takes more from the source, until there is something for `whose` or nothing is left for now.
    virtual void refill(line& whose, time_point now) noexcept = 0;
    /// Whether one more message may be encrypted before others have their turn; if not, `whose` is woken for
    /// the next turn.
    [[nodiscard]] virtual bool may_encrypt(line& whose) noexcept = 0;
    /// Pushes for `whose` that the source could hand out within that time, as far as can be told: it knows of
    /// no services, but what it handed out lately was for somebody.
    [[nodiscard]] virtual std::size_t coming(const line& whose, duration within) const noexcept = 0;

protected:
    ~line_owner() = default;
};

/// What the lines of a channel work with; all of it outlives them.
struct line_wiring {
    const std::string& app;
    push_source& source;
    const time_source& time;
    logger& log;
    response_counters& counters;
    credential_health& health;
    vapid_tokens& tokens;
    encryptor& cipher;
    body_store& bodies;
    line_owner& owner;
};

/// One app's way to one push service on one thread: makes requests of pushes, and verdicts of answers.
///
/// The source knows nothing of services, so what was taken for one of them may have to wait: it stands here,
/// not for long, and goes back to the source if its service does not take it.
class line final : public http2::client {
public:
    /// More than this waits in the source.
    static constexpr std::size_t most_waiting = 2'048;

    /// `through` is the pool that asks it, and is attached by whoever made it.
    line(const line_wiring& wiring, http2::pool& through, std::string origin, std::string authority);
    line(const line&) = delete;
    line& operator=(const line&) = delete;

    /// Puts a push in line that was taken from the source, or gives it back.
    void add(push& item, bool urgent, time_point now) noexcept;
    /// Gives back what has waited too long without anything moving.
    void look(time_point now) noexcept;

    [[nodiscard]] bool next_request(
        std::uint64_t connection, time_point now, http2::request& out) noexcept override;
    [[nodiscard]] bool urgent() const noexcept override { return !urgent_.empty(); }
    [[nodiscard]] bool paces_itself() const noexcept override { return true; }
    [[nodiscard]] std::size_t open_requests() const noexcept override { return in_flight_; }
    [[nodiscard]] std::size_t backlog(duration within) const noexcept override;
    [[nodiscard]] http2::connection_advice on_response(const http2::response& answer) noexcept override;
    void on_failure(const http2::failed_request& failed) noexcept override;
    void on_dial_failed(const error_code& why) noexcept override;

    [[nodiscard]] const std::string& origin() const noexcept { return origin_; }
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] std::size_t waiting() const noexcept { return urgent_.size() + others_.size(); }
    [[nodiscard]] bool idle() const noexcept { return in_flight_ == 0 && waiting() == 0; }
    [[nodiscard]] time_point last_used() const noexcept { return moved_at_; }
    /// It has something to send, perhaps.
    void wake() noexcept;

    // The channel's book, kept here.
    std::size_t allowance = 0;  ///< Messages that it may encrypt in this turn.
    bool waits_for_turn = false;
    std::size_t routed = 0;  ///< Of the pushes that were taken from the source lately.

private:
    [[nodiscard]] push* next(time_point now) noexcept;
    [[nodiscard]] bool may_send(time_point now) const noexcept;
    void wake_if_held_back() noexcept;
    void note_answer_time(duration took) noexcept { answer_time_ += (took - answer_time_) / 16; }
    [[nodiscard]] bool fill(push& item, time_point now, http2::request& out) noexcept;
    [[nodiscard]] const vapid_header* authorization(time_point now) noexcept;
    /// Not now, free of charge.
    void postpone(push& item, std::chrono::milliseconds wait, std::string_view why, time_point now) noexcept;
    void refuse(push& item, std::string_view why, time_point now) noexcept;
    /// Gives everything back that waits here.
    void give_back(std::chrono::milliseconds wait, std::string_view why, time_point now) noexcept;
    void refuse_waiting(std::string_view why, time_point now) noexcept;
    void weigh_refusal(verdict& what, time_point now) noexcept;
    void weigh(judgement& given, const sent_message& sent, const http2::response& answer) noexcept;
    void tell(judgement& given, const sent_message& sent);

    const line_wiring& wiring_;
    http2::pool& pool_;
    std::string origin_;
    std::string authority_;
    service_state state_;
    push_queue urgent_;
    push_queue others_;
    std::size_t in_flight_ = 0;
    bool full_ = false;      ///< It said that it may not send; whether it may changes with the next answer.
    time_point moved_at_{};  ///< When something was last sent, answered, or put into an empty line.
    time_point
        answered_at_{};  ///< When the last answer came, or the first of those that wait for one was sent.
    duration answer_time_{};  ///< In the mean of the last dozens.
    time_point forbidden_until_{};
    std::string_view forbidden_because_;  ///< A literal.
    time_point looked_at_{};              ///< When wall_then_ was read: once for a run of requests.
    wall_time wall_then_{};
    std::shared_ptr<const vapid_header> token_;
    std::array<char, 12> ttl_{};
};

}  // namespace tocsin::webpush
