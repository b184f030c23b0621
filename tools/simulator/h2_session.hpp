#pragma once

#include "engine/core/c_handle.hpp"
#include "tools/simulator/request.hpp"

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::sim {

/// What a server announces in its first SETTINGS.
struct session_settings {
    std::uint32_t streams = 100;
    std::uint32_t initial_window = 65'535;
    std::uint32_t connection_window = 65'535;
    std::uint32_t header_table = 4096;
    std::uint32_t max_header_list = 8000;
};

/// Told what happens on a session. Calls come from inside feed(); there is a C library on the stack,
/// so they must not throw and must not destroy the session.
class session_events {
public:
    virtual void on_header(request& asked, std::string_view name, std::string_view value) noexcept = 0;
    /// The request is complete. It stays valid until on_closed().
    virtual void on_request(request& asked) noexcept = 0;
    virtual void on_closed(request& asked) noexcept = 0;
    /// The client opened a stream above every limit that it can know of. The stream is ignored.
    virtual void on_limit_violated() noexcept = 0;
    /// The stream was above the newest limit, but the client may not have seen that yet.
    virtual void on_refused() noexcept = 0;
    virtual void on_idle_ping() noexcept = 0;

protected:
    ~session_events() = default;  // Never deleted through this interface.
};

/// The server side of one HTTP/2 connection, without the connection: bytes in, bytes out.
///
/// The stream limit is enforced here and not by nghttp2: providers answer a violation in their own
/// words, and a limit that is raised must hold from the moment it is sent. Likewise GOAWAY is written
/// past nghttp2, which would stop reading streams that a fault wants to see.
class h2_session {
public:
    h2_session(const session_settings& settings, request_pool& pool, session_events& events);
    h2_session(const h2_session&) = delete;
    h2_session& operator=(const h2_session&) = delete;
    ~h2_session();

    /// Processes bytes from the peer; false if they are not HTTP/2.
    [[nodiscard]] bool feed(std::string_view bytes) noexcept;

    /// Queues the answer that is in `asked`.
    void respond(request& asked) noexcept;
    void reset(request& asked, std::uint32_t code) noexcept;

    /// The request of an open stream; null if it has ended.
    [[nodiscard]] request* find(std::int32_t stream) const noexcept;

    void announce_streams(std::uint32_t limit) noexcept;
    void announce(
        std::optional<std::uint32_t> initial_window, std::optional<std::uint32_t> header_table) noexcept;

    /// Writes a GOAWAY. Streams above `last` are ignored from now on.
    void go_away(std::int32_t last, std::uint32_t code, std::string_view debug);
    /// Stops giving the client any window back.
    void stall_windows(bool stalled) noexcept;

    /// Appends frames to `out` until it holds `limit` bytes, or, if `one_answer`, one answer has
    /// ended. False if there are none left.
    bool take_output(std::string& out, std::size_t limit, bool one_answer) noexcept;

    /// Calls `visit(request&)` for every open stream, newest first; it must not end streams.
    template <class Visit>
    void for_each_open(Visit&& visit) {
        for (request* asked = open_; asked != nullptr; asked = asked->next) {
            visit(*asked);
        }
    }

    /// The highest stream whose request was complete.
    [[nodiscard]] std::int32_t last_processed() const noexcept { return last_processed_; }
    [[nodiscard]] std::uint32_t active() const noexcept { return active_; }
    [[nodiscard]] std::uint32_t announced() const noexcept { return wanted_limit_; }
    /// False once nghttp2 has nothing more to say or hear.
    [[nodiscard]] bool alive() const noexcept;

private:
    struct trampoline;
    friend struct trampoline;

    void begin(std::int32_t stream) noexcept;
    void end_request(std::int32_t stream) noexcept;
    void data(std::int32_t stream, std::string_view chunk, bool last) noexcept;
    void close(request& ended) noexcept;
    void append_settings(std::string& out, std::string_view frame);
    [[nodiscard]] std::uint32_t newest_limit() const noexcept;
    [[nodiscard]] std::uint32_t highest_limit() const noexcept;

    request_pool& pool_;
    session_events& events_;
    c_handle<nghttp2_session, nghttp2_session_del> session_;
    request* open_ = nullptr;     // All open streams.
    request* reading_ = nullptr;  // Whose headers or data came last: they come in runs.
    std::string injected_;        // Frames that nghttp2 does not know of.

    std::uint32_t active_ = 0;
    std::uint32_t wanted_limit_;                // What the next SETTINGS announces.
    std::deque<std::uint32_t> unacknowledged_;  // Limits announced, oldest first.
    std::uint32_t acknowledged_ = 0xFFFFFFFFU;  // RFC 9113: unlimited before the first SETTINGS.

    std::int32_t last_processed_ = 0;
    std::int32_t ignore_above_ = 0x7FFFFFFF;
    std::size_t stalled_credit_ = 0;
    bool stalled_ = false;
};

}  // namespace tocsin::sim
