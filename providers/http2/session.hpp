#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "providers/http2/byte_buffer.hpp"
#include "providers/http2/client.hpp"
#include "providers/http2/error.hpp"
#include "providers/http2/frame.hpp"
#include "providers/http2/frame_reader.hpp"
#include "providers/http2/header_decoder.hpp"
#include "providers/http2/hpack_encoder.hpp"
#include "providers/http2/open_streams.hpp"
#include "providers/http2/stream_table.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::http2 {

struct session_options {
    std::uint64_t connection = 0;  ///< Put into every answer and failure.
    /// Streams open at once, however many more the peer would allow.
    std::size_t stream_cap = 1000;
    std::chrono::milliseconds request_timeout{20'000};
    std::uint32_t first_stream_id = 1;
};

/// Told what happens on a session. Calls come from inside its functions; they must not throw, and must
/// neither destroy the session nor call its non-const functions.
class session_events {
public:
    virtual void on_answer(client& who, const response& answer) noexcept = 0;
    virtual void on_failure(client& who, const failed_request& failed) noexcept = 0;
    /// GOAWAY arrived (perhaps a second time); `text` is the peer's, for the log.
    virtual void on_going_away(h2_code code, std::string_view text) noexcept = 0;

protected:
    ~session_events() = default;  // Never deleted through this interface.
};

/// The client side of one HTTP/2 connection, without the connection: bytes in, bytes out, and one
/// answer or failure for each request.
///
/// The caller owns the socket. It feeds what it reads, writes what output() holds, and says with
/// mark_written() that it does. Requests are put into frames by submit() itself, so the views in a
/// request need only live as client.hpp says, and the bodies of all but the largest not even so long.
///
/// The frames are our own (RFC 9113), for the sake of what a push costs; see
/// docs/explanation/http2-client.md.
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
    [[nodiscard]] std::string_view output() const noexcept { return output_.view(); }
    void clear_output() noexcept {
        produced_ += output_.size();
        output_.clear();
        replies_ = 0;
    }
    /// The output goes to the socket now: the requests in it may be processed from here on.
    void mark_written(time_point now) noexcept { order_.mark_written(now); }

    /// Bytes of all output before the present one.
    [[nodiscard]] std::uint64_t produced() const noexcept { return produced_; }
    /// Nothing of the output from that byte on has reached anybody, or will: requests that begin there count
    /// as never written. Only fail_all() is left to do.
    void take_back(std::uint64_t from) noexcept { order_.take_back(from); }

    /// Gives up the requests that are due: they fail as timed_out and their streams are reset. Once
    /// `timeouts_to_retire` came in a row streams are not reset any more, since a peer counts resets
    /// and the connection should be retired. Returns how many were given up.
    std::size_t expire(time_point now);
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;
    [[nodiscard]] std::size_t timeouts_in_a_row() const noexcept { return timeouts_in_a_row_; }
    static constexpr std::size_t timeouts_to_retire = 5;
    /// Requests in a row that the peer reset instead of answering, whatever it gave as its reason: once there
    /// are `resets_to_retire`, the connection should be retired, for another may lead to a server that works.
    [[nodiscard]] std::size_t resets_in_a_row() const noexcept { return resets_in_a_row_; }
    static constexpr std::size_t resets_to_retire = 3;
    /// Since when the peer has refused streams and answered nothing: a few are refused in a row wherever its
    /// limit is lower than we knew.
    [[nodiscard]] std::optional<time_point> refusing_since() const noexcept { return refusing_since_; }

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
    /// Streams that may be open at once, and since when the peer has wanted it so.
    [[nodiscard]] std::size_t stream_limit() const noexcept {
        return std::min(peer_limit_, options_.stream_cap);
    }
    [[nodiscard]] time_point limit_changed_at() const noexcept { return limit_changed_at_; }
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
    /// True if one of them is in output() and was not handed to the socket.
    [[nodiscard]] bool has_unwritten() const noexcept { return order_.has_unwritten(); }
    /// False when the protocol is over in both directions and the socket can be closed.
    [[nodiscard]] bool alive() const noexcept;

private:
    /// What the peer may send us on the connection before we must give credit back: the answers of a full
    /// one.
    static constexpr std::uint32_t receive_window = 1024 * 1024;
    static constexpr std::size_t frames_a_second = 1'000;
    static constexpr std::size_t frames_a_request = 16;
    static constexpr std::size_t most_frames_allowed = 1'000'000;

    // Output: session_output.cpp.
    void write_preface();
    void write_frame(frame_type type, std::uint8_t flags, std::uint32_t stream, std::string_view payload);
    [[nodiscard]] error_code misfit(const request& what) const noexcept;
    void write_request(stream_slot& slot, const request& what);
    [[nodiscard]] bool write_body(stream_slot& slot);
    void write_blocked_bodies();
    void write_reset(std::uint32_t stream, h2_code code);
    void write_window_update(std::uint32_t stream, std::uint32_t increment);
    void write_goaway(h2_code code);
    [[nodiscard]] std::int64_t window_of(const stream_slot& slot) const noexcept {
        return std::int64_t{initial_window_} + slot.granted - slot.sent;
    }

    // Input: session_input.cpp. False after a violation, which has been answered with a GOAWAY.
    [[nodiscard]] bool receive(const frame& what);
    [[nodiscard]] bool receive_data(const frame& what);
    [[nodiscard]] bool receive_headers(const frame& what);
    [[nodiscard]] bool receive_continuation(const frame& what);
    [[nodiscard]] bool receive_reset(const frame& what);
    [[nodiscard]] bool receive_settings(const frame& what);
    [[nodiscard]] bool apply_setting(setting which, std::uint32_t value);
    [[nodiscard]] bool receive_ping(const frame& what);
    [[nodiscard]] bool receive_goaway(const frame& what);
    [[nodiscard]] bool receive_window_update(const frame& what);
    [[nodiscard]] bool end_header_block(std::uint32_t stream, std::string_view block, bool ends_stream);
    [[nodiscard]] bool give_credit(stream_slot* slot, std::size_t received, bool ends_stream);
    [[nodiscard]] bool go_on(stream_slot& slot, bool ends_stream);
    [[nodiscard]] bool count_reply();
    [[nodiscard]] bool allow_frame();
    [[nodiscard]] bool violated(h2_code code);
    [[nodiscard]] bool is_idle(std::uint32_t stream) const noexcept;

    // The lives of streams: session.cpp.
    answer& answer_of(stream_slot& slot);
    void complete(stream_slot& slot);
    void end(stream_slot& slot) noexcept;
    void fail(stream_slot& slot, failure why, error_code detail) noexcept;
    void abandon(stream_slot& slot, h2_code code, error_code detail);
    void close(stream_slot& slot) noexcept;
    void stop_accepting(error_code why) noexcept;

    session_options options_;
    session_events& events_;
    time_point now_{};

    byte_buffer output_;
    std::uint64_t produced_ = 0;
    frame_reader input_;
    hpack_encoder encoder_;
    header_decoder decoder_;

    stream_table slots_;
    open_streams<stream_slot, &stream_slot::id> streams_;
    submission_order order_;
    std::vector<stream_slot*> blocked_;            ///< Whose bodies wait for windows, oldest first.
    std::vector<std::unique_ptr<answer>> unused_;  ///< Answers to be used again.
    std::uint32_t next_id_;

    // What the peer allows.
    std::size_t peer_limit_ = std::numeric_limits<std::uint32_t>::max();
    time_point limit_changed_at_{};
    std::size_t peer_header_list_ = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t initial_window_ = default_window;
    std::int64_t window_ = default_window;
    std::size_t largest_body_ = 512;
    std::size_t last_body_ = 512;

    // What we allow the peer.
    std::size_t unacknowledged_ = 0;  ///< DATA received since the last WINDOW_UPDATE for the connection.
    std::size_t frames_allowed_ = frames_a_second;  ///< That the peer may send before it must rest.
    time_point allowance_since_{};
    std::size_t replies_ = 0;  ///< Frames in output_ that the peer made us write.

    // A header block of several frames.
    std::uint32_t continued_ = 0;  ///< The stream; 0 if no block is under way.
    bool continued_ends_stream_ = false;
    std::string block_;

    std::uint32_t last_processed_ = largest_window;  ///< Of GOAWAY.
    std::uint32_t highest_heard_ = 0;                ///< The newest stream that an answer has begun on.
    std::size_t timeouts_in_a_row_ = 0;
    std::size_t resets_in_a_row_ = 0;
    std::optional<time_point> refusing_since_;
    bool settings_received_ = false;
    bool going_away_ = false;
    bool over_ = false;  ///< GOAWAY was received, or sent: the last answer ends the connection.
    bool broken_ = false;
    bool ping_pending_ = false;
    error_code ending_;
};

}  // namespace tocsin::http2
