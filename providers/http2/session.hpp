#pragma once

#include "engine/core/c_handle.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "providers/http2/client.hpp"
#include "providers/http2/error.hpp"
#include "providers/http2/stream_table.hpp"

#include <nghttp2/nghttp2.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::http2 {

struct session_options {
    std::uint64_t connection = 0;  ///< Put into every answer and failure.
    /// Streams open at once, however many more the peer would allow.
    std::size_t stream_cap = 1000;
    std::chrono::milliseconds request_timeout{20'000};
    std::int32_t first_stream_id = 1;
};

/// Told what happens on a session. Calls come from inside its functions; they must not throw,
/// because there is a C library on the stack, and must neither destroy the session nor call its
/// non-const functions.
class session_events {
public:
    virtual void on_answer(client& who, const response& answer) noexcept = 0;
    virtual void on_failure(client& who, const failed_request& failed) noexcept = 0;
    /// GOAWAY arrived (perhaps a second time); `text` is the peer's, for the log.
    virtual void on_going_away(std::uint32_t http2_code, std::string_view text) noexcept = 0;

protected:
    ~session_events() = default;  // Never deleted through this interface.
};

/// The client side of one HTTP/2 connection, without the connection: bytes in, bytes out, and one
/// answer or failure for each request.
///
/// The caller owns the socket. It feeds what it reads, writes what output() holds, and says with
/// mark_written() that it does. Requests are put into frames by submit() itself, so the views in a
/// request need only live as client.hpp says, and the bodies of all but the largest not even so long.
class session {
public:
    session(const session_options& options, session_events& events);
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    /// How many requests may be submitted at this moment: free streams under the peer's limit and the
    /// cap, and what the connection's send window still carries (by the size of recent bodies). A stream
    /// whose body cannot follow would only block a slot. 0 until the peer's SETTINGS have arrived.
    [[nodiscard]] std::size_t credit() const noexcept;
    /// Frames `what` into output(); `who` gets exactly one answer or failure, from here, from feed(),
    /// expire() or fail_all(). An error means that nothing was taken: nobody will be told.
    [[nodiscard]] error_code submit(client& who, const request& what, time_point now);

    /// Processes bytes from the peer. After an error only fail_all() is left to do.
    [[nodiscard]] error_code feed(std::string_view bytes, time_point now);

    /// Frames to write. Everything submitted is in it until clear_output().
    [[nodiscard]] std::string_view output() const noexcept { return output_; }
    void clear_output() noexcept { output_.clear(); }
    /// The output goes to the socket now: the requests in it may be processed from here on.
    void mark_written(time_point now) noexcept { order_.mark_written(now); }

    /// Gives up the requests that are due: they fail as timed_out and their streams are reset. Once
    /// `timeouts_to_retire` came in a row streams are not reset any more, since a peer counts resets
    /// and the connection should be retired. Returns how many were given up.
    std::size_t expire(time_point now);
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;
    [[nodiscard]] std::size_t timeouts_in_a_row() const noexcept { return timeouts_in_a_row_; }
    static constexpr std::size_t timeouts_to_retire = 5;
    /// Requests in a row that the peer reset with INTERNAL_ERROR instead of answering: once there are
    /// `internal_errors_to_retire`, the connection should be retired, for another may lead to a
    /// server that works.
    [[nodiscard]] std::size_t internal_errors_in_a_row() const noexcept { return internal_errors_in_a_row_; }
    static constexpr std::size_t internal_errors_to_retire = 3;

    /// Answers to the requests of `who` go nowhere from here on.
    void forget(client& who);
    /// Ends every request: unknown if its frames were written, not_processed if not.
    void fail_all(error_code detail) noexcept;

    /// One PING at a time: does nothing while ping_pending().
    void ping();
    [[nodiscard]] bool ping_pending() const noexcept { return ping_pending_; }
    /// Says goodbye (GOAWAY NO_ERROR). No request fits after it.
    void say_goodbye();

    [[nodiscard]] bool settings_received() const noexcept { return settings_received_; }
    /// False once no new request will ever fit: GOAWAY in either direction, ids used up, failure.
    [[nodiscard]] bool accepting() const noexcept { return !going_away_ && !broken_; }
    /// Why accepting() is false.
    [[nodiscard]] error_code ending() const noexcept { return ending_; }
    /// True while streams or the window, not the lack of requests, are what limits.
    [[nodiscard]] bool saturated() const noexcept {
        return settings_received_ && accepting() && credit() == 0;
    }
    /// Requests that are neither answered nor failed.
    [[nodiscard]] std::size_t in_flight() const noexcept { return order_.size(); }
    /// False when the protocol is over in both directions and the socket can be closed.
    [[nodiscard]] bool alive() const noexcept;

private:
    struct callbacks;  // The C trampolines, kept out of the header.

    void pump();
    void stop_accepting(error_code why) noexcept;
    void refresh_limits() noexcept;
    [[nodiscard]] stream_slot* find(std::int32_t id) noexcept;
    void answer(stream_slot& slot) noexcept;
    void fail(stream_slot& slot, failure why, error_code detail) noexcept;
    void reset(std::int32_t id) noexcept;

    session_options options_;
    session_events& events_;

    std::string output_;
    stream_table slots_;
    submission_order order_;
    stream_slot* in_header_ = nullptr;  // Whose header block is being received.
    stream_slot* last_found_ = nullptr;
    time_point now_{};

    std::size_t peer_limit_ = 0;
    std::size_t initial_window_ = 0;
    std::size_t window_ = 0;
    std::size_t largest_body_ = 512;
    std::size_t last_body_ = 512;
    std::size_t timeouts_in_a_row_ = 0;
    std::size_t internal_errors_in_a_row_ = 0;
    bool settings_received_ = false;
    bool going_away_ = false;
    bool broken_ = false;
    bool ping_pending_ = false;
    bool inside_ = false;  // nghttp2 is on the stack: it must not be asked for output.
    error_code ending_;

    c_handle<nghttp2_session, nghttp2_session_del> session_;
};

}  // namespace tocsin::http2
