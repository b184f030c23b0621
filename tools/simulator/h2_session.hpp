#pragma once

#include "engine/core/c_handle.hpp"
#include "providers/http2/open_streams.hpp"
#include "tools/simulator/frame.hpp"
#include "tools/simulator/header_reader.hpp"
#include "tools/simulator/request.hpp"

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::sim {

/// What a server announces in its first SETTINGS.
struct session_settings {
    std::uint32_t streams = 100;
    std::uint32_t initial_window = 65'535;
    std::uint32_t connection_window = 65'535;
    std::uint32_t header_table = 4096;
    std::uint32_t max_header_list = 8000;
};

/// Told what happens on a session. Calls come from inside feed(), but for on_closed(), which may also
/// come from take_output(); they must not destroy the session.
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
    /// The client broke the protocol: the connection ends, or (`stream_only`) the stream.
    virtual void on_protocol_error(std::uint32_t code, bool stream_only) noexcept = 0;
    virtual void on_idle_ping() noexcept = 0;

protected:
    ~session_events() = default;  // Never deleted through this interface.
};

/// The server side of one HTTP/2 connection, without the connection: bytes in, bytes out.
///
/// Frames are its own, HPACK is nghttp2's: a session of nghttp2 would cost several times what all checks
/// of a provider do. It is strict, so that what passes here passes anywhere: whatever RFC 9113 calls an
/// error of the connection or of a stream ends it.
class h2_session final : private header_sink {
public:
    h2_session(const session_settings& settings, request_pool& pool, session_events& events);
    h2_session(const h2_session&) = delete;
    h2_session& operator=(const h2_session&) = delete;
    ~h2_session();

    /// Processes bytes from the peer; false if they are not HTTP/2.
    [[nodiscard]] bool feed(std::string_view bytes);

    /// Puts the answer that is in `asked` into frames; what the client's windows do not allow follows when
    /// they do.
    void respond(request& asked);
    void reset(request& asked, std::uint32_t code);

    /// The request of an open stream; null if it has ended.
    [[nodiscard]] request* find(std::int32_t stream) const noexcept;

    void announce_streams(std::uint32_t limit);
    void announce(std::optional<std::uint32_t> initial_window, std::optional<std::uint32_t> header_table);

    /// Writes a GOAWAY. Streams above `last` are ignored from now on.
    void go_away(std::int32_t last, std::uint32_t code, std::string_view debug);
    /// Stops giving the client any window back.
    void stall_windows(bool stalled);

    /// Frames that are ready: all of them, or, if `one_answer`, up to the end of an answer. Empty if there
    /// are none. Valid until the next call. An answered stream counts as open until it was taken.
    [[nodiscard]] std::string_view take_output(bool one_answer) noexcept;

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
    [[nodiscard]] std::uint32_t announced() const noexcept { return limit_; }
    /// False once there is nothing more to say or hear: after an error, or a client's goodbye.
    [[nodiscard]] bool alive() const noexcept { return !over_ && !(peer_left_ && active_ == 0); }

private:
    /// What takes effect when the client acknowledges a SETTINGS.
    struct announcement {
        std::uint32_t streams = 0;
        std::optional<std::uint32_t> initial_window;
        std::optional<std::uint32_t> header_table;
    };

    // ---- Input
    void on_field(std::string_view name, std::string_view value) noexcept override;
    [[nodiscard]] bool on_frame(const frame_head& head, std::string_view payload);
    void on_headers(const frame_head& head, std::string_view payload);
    void on_continuation(const frame_head& head, std::string_view payload);
    void on_block(std::int32_t stream, std::string_view block, bool last);
    void on_data(const frame_head& head, std::string_view payload);
    void on_reset(const frame_head& head, std::string_view payload);
    void on_settings(const frame_head& head, std::string_view payload);
    void on_setting(std::uint16_t id, std::uint32_t value);
    void on_settings_acknowledged();
    void on_ping(const frame_head& head, std::string_view payload);
    void on_window_update(const frame_head& head, std::string_view payload);
    [[nodiscard]] std::optional<std::string_view> without_padding(
        const frame_head& head, std::string_view payload);
    void fail(nghttp2_error_code code, std::string_view words);
    void fail_stream(request& asked, nghttp2_error_code code);

    // ---- Streams
    [[nodiscard]] request& begin(std::int32_t stream);
    void end_request(request& asked);
    void close(request& ended) noexcept;
    [[nodiscard]] std::uint32_t newest_limit() const noexcept;
    [[nodiscard]] std::uint32_t highest_limit() const noexcept;

    // ---- Windows
    void give_back_stream(request& asked);
    void give_back_connection();
    void send_blocked();

    // ---- Output
    [[nodiscard]] bool send_body(request& asked);
    void finish(request& asked);
    void append_settings(const announcement& what, std::optional<std::uint32_t> max_header_list);
    void append_window_update(std::int32_t stream, std::size_t size);

    request_pool& pool_;
    session_events& events_;
    header_reader headers_;
    c_handle<nghttp2_hd_deflater, nghttp2_hd_deflate_del> deflater_;
    frame_reader frames_;

    request* open_ = nullptr;     // All open streams.
    request* reading_ = nullptr;  // Whose headers or data came last: they come in runs.
    http2::open_streams<request, &request::stream> streams_;
    std::vector<request*> blocked_;   // Answers whose bodies wait for window, in order.
    std::vector<request*> finished_;  // Answered or reset; closed when their output is taken.

    std::string output_;
    std::size_t taken_ = 0;  // Of output_.

    std::string preface_;                   // What is still expected of it.
    std::string block_;                     // A header block that goes on in CONTINUATION.
    std::optional<frame_head> block_head_;  // Its HEADERS.

    std::uint32_t active_ = 0;
    std::uint32_t limit_;                       // Announced last.
    std::deque<announcement> unacknowledged_;   // Oldest first.
    std::uint32_t acknowledged_ = 0xFFFFFFFFU;  // RFC 9113: unlimited before the first SETTINGS.

    std::int32_t highest_ = 0;  // Stream that was opened.
    std::int32_t last_processed_ = 0;
    std::int32_t ignore_above_ = 0x7FFFFFFF;

    // Windows of what the client sends; `consumed` is what was not given back yet.
    std::int64_t connection_window_ = 65'535;
    std::int64_t receive_window_ = 65'535;
    std::size_t consumed_ = 0;
    std::int64_t stream_window_ = 65'535;
    bool stalled_ = false;
    // Windows of what we send.
    std::int64_t send_window_ = 65'535;
    std::int64_t peer_initial_window_ = 65'535;

    bool settings_seen_ = false;
    bool peer_left_ = false;
    bool over_ = false;
};

}  // namespace tocsin::sim
