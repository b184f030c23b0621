#include "tools/simulator/h2_session.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace tocsin::sim {
namespace {

constexpr std::size_t frame_header_size = 9;
// More than any provider reads; the rest of a longer body is counted as too large already.
constexpr std::size_t body_limit = std::size_t{64} * 1024;

void append_number(std::string& out, std::uint32_t number, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
        out += static_cast<char>(number >> static_cast<unsigned>(shift) & 0xFFU);
    }
}

std::uint8_t frame_type(std::string_view frame) noexcept {
    return static_cast<std::uint8_t>(frame[3]);
}
std::uint8_t frame_flags(std::string_view frame) noexcept {
    return static_cast<std::uint8_t>(frame[4]);
}

nghttp2_nv field(std::string_view name, std::string_view value, bool index = true) noexcept {
    // nghttp2 does not write through these; the request outlives its frames.
    auto* name_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
    auto* value_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
    const unsigned flags = static_cast<unsigned>(NGHTTP2_NV_FLAG_NO_COPY_NAME) |
                           NGHTTP2_NV_FLAG_NO_COPY_VALUE |
                           (index ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX);
    return {name_bytes, value_bytes, name.size(), value.size(), static_cast<std::uint8_t>(flags)};
}

/// True if the frame is the last of an answer.
bool ends_answer(std::string_view frame) noexcept {
    const auto type = frame_type(frame);
    return type == NGHTTP2_RST_STREAM || ((type == NGHTTP2_HEADERS || type == NGHTTP2_DATA) &&
                                          (frame_flags(frame) & NGHTTP2_FLAG_END_STREAM) != 0);
}

}  // namespace

struct h2_session::trampoline {
    static h2_session& self(void* user_data) noexcept { return *static_cast<h2_session*>(user_data); }

    static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user_data) noexcept {
        if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
            self(user_data).begin(frame->hd.stream_id);
        }
        return 0;
    }
    static int on_header(
        nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
        const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user_data) noexcept {
        h2_session& session = self(user_data);
        request* asked = session.reading_;
        if (asked != nullptr && asked->stream == frame->hd.stream_id && !asked->ignored) {
            session.events_.on_header(
                *asked, {reinterpret_cast<const char*>(name), name_size},
                {reinterpret_cast<const char*>(value), value_size});
        }
        return 0;
    }
    static int on_data(
        nghttp2_session*, std::uint8_t flags, std::int32_t stream, const std::uint8_t* bytes,
        std::size_t size, void* user_data) noexcept {
        self(user_data).data(
            stream, {reinterpret_cast<const char*>(bytes), size}, (flags & NGHTTP2_FLAG_END_STREAM) != 0);
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) noexcept {
        h2_session& session = self(user_data);
        const auto type = frame->hd.type;
        if (type == NGHTTP2_HEADERS || type == NGHTTP2_DATA) {
            if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
                session.end_request(frame->hd.stream_id);
            }
        } else if (type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
            if (!session.unacknowledged_.empty()) {
                session.acknowledged_ = session.unacknowledged_.front();
                session.unacknowledged_.pop_front();
            }
        } else if (
            type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0 && session.active_ == 0) {
            session.events_.on_idle_ping();
        }
        return 0;
    }
    static int on_stream_close(
        nghttp2_session*, std::int32_t stream, std::uint32_t, void* user_data) noexcept {
        h2_session& session = self(user_data);
        if (request* ended = session.find(stream)) {
            session.close(*ended);
        }
        return 0;
    }
    static ssize_t read_reply(
        nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t room, std::uint32_t* flags,
        nghttp2_data_source* source, void*) noexcept {
        auto& asked = *static_cast<request*>(source->ptr);
        std::size_t count = std::min(room, asked.reply.size() - asked.replied);
        if (asked.piece != 0) {
            count = std::min(count, asked.piece);
        }
        std::memcpy(out, asked.reply.data() + asked.replied, count);
        asked.replied += count;
        if (asked.replied == asked.reply.size()) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        }
        return static_cast<ssize_t>(count);
    }

    static c_handle<nghttp2_session_callbacks, nghttp2_session_callbacks_del> callbacks() {
        nghttp2_session_callbacks* raw = nullptr;
        nghttp2_session_callbacks_new(&raw);
        nghttp2_session_callbacks_set_on_begin_headers_callback(raw, &on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(raw, &on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(raw, &on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(raw, &on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(raw, &on_stream_close);
        return c_handle<nghttp2_session_callbacks, nghttp2_session_callbacks_del>(raw);
    }
    static c_handle<nghttp2_option, nghttp2_option_del> options() {
        nghttp2_option* raw = nullptr;
        nghttp2_option_new(&raw);
        // The windows are ours to give back, or to stall.
        nghttp2_option_set_no_auto_window_update(raw, 1);
        // No priority tree: providers ignore priorities, and it costs on every stream.
        nghttp2_option_set_no_closed_streams(raw, 1);
        return c_handle<nghttp2_option, nghttp2_option_del>(raw);
    }
};

h2_session::h2_session(const session_settings& settings, request_pool& pool, session_events& events)
    : pool_(pool), events_(events), wanted_limit_(settings.streams) {
    const auto callbacks = trampoline::callbacks();
    const auto options = trampoline::options();
    nghttp2_session* raw = nullptr;
    nghttp2_session_server_new2(&raw, callbacks.get(), this, options.get());
    session_.reset(raw);
    const std::array<nghttp2_settings_entry, 4> entries{{
        {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, settings.header_table},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.initial_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.max_header_list},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    }};
    nghttp2_submit_settings(raw, NGHTTP2_FLAG_NONE, entries.data(), entries.size());
    if (settings.connection_window > 65'535) {
        nghttp2_session_set_local_window_size(
            raw, NGHTTP2_FLAG_NONE, 0, static_cast<std::int32_t>(settings.connection_window));
    }
}

h2_session::~h2_session() {
    // nghttp2 does not report the streams that are open when a session goes away.
    while (open_ != nullptr) {
        close(*open_);
    }
}

bool h2_session::feed(std::string_view bytes) noexcept {
    return nghttp2_session_mem_recv(
               session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) >= 0;
}

void h2_session::begin(std::int32_t stream) noexcept {
    request* asked = pool_.take().release();
    asked->stream = stream;
    asked->next = open_;
    if (open_ != nullptr) {
        open_->previous = asked;
    }
    open_ = reading_ = asked;
    ++active_;
    nghttp2_session_set_stream_user_data(session_.get(), stream, asked);
    if (stream > ignore_above_) {
        asked->ignored = true;
    } else if (active_ > highest_limit()) {
        asked->ignored = true;
        events_.on_limit_violated();
    } else if (active_ > newest_limit()) {
        reset(*asked, NGHTTP2_REFUSED_STREAM);
        events_.on_refused();
    }
}

void h2_session::data(std::int32_t stream, std::string_view chunk, bool last) noexcept {
    if (stalled_) {
        stalled_credit_ += chunk.size();
    } else {
        nghttp2_session_consume_connection(session_.get(), chunk.size());
        // A stream that is over needs no window.
        if (!last) {
            nghttp2_session_consume_stream(session_.get(), stream, chunk.size());
        }
    }
    request* asked = reading_ != nullptr && reading_->stream == stream ? reading_ : find(stream);
    if (asked != nullptr && !asked->ignored) {
        reading_ = asked;
        asked->body.append(chunk.substr(0, body_limit - std::min(body_limit, asked->body.size())));
    }
}

void h2_session::end_request(std::int32_t stream) noexcept {
    request* asked = reading_ != nullptr && reading_->stream == stream ? reading_ : find(stream);
    if (asked != nullptr && !asked->ignored) {
        last_processed_ = std::max(last_processed_, stream);
        events_.on_request(*asked);
    }
}

void h2_session::close(request& ended) noexcept {
    events_.on_closed(ended);
    (ended.previous != nullptr ? ended.previous->next : open_) = ended.next;
    if (ended.next != nullptr) {
        ended.next->previous = ended.previous;
    }
    if (reading_ == &ended) {
        reading_ = nullptr;
    }
    --active_;
    pool_.put(std::unique_ptr<request>(&ended));
}

void h2_session::respond(request& asked) noexcept {
    std::array<nghttp2_nv, 4> fields;
    std::size_t count = 0;
    fields[count++] = field(":status", {asked.status.data(), asked.status.size()});
    if (asked.has_apns_id) {
        // Never the same twice: it would only push useful entries out of the client's table.
        fields[count++] = field("apns-id", {asked.apns_id.data(), asked.apns_id.size()}, false);
    }
    if (!asked.reply_type.empty()) {
        fields[count++] = field("content-type", asked.reply_type);
    }
    if (!asked.retry_after.empty()) {
        fields[count++] = field("retry-after", asked.retry_after);
    }
    nghttp2_data_provider body{};
    body.source.ptr = &asked;
    body.read_callback = &trampoline::read_reply;
    nghttp2_submit_response(
        session_.get(), asked.stream, fields.data(), count, asked.reply.empty() ? nullptr : &body);
    asked.answered = true;
}

void h2_session::reset(request& asked, std::uint32_t code) noexcept {
    asked.ignored = true;
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, asked.stream, code);
}

request* h2_session::find(std::int32_t stream) const noexcept {
    return static_cast<request*>(nghttp2_session_get_stream_user_data(session_.get(), stream));
}

void h2_session::announce_streams(std::uint32_t limit) noexcept {
    wanted_limit_ = limit;
    nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, nullptr, 0);
}

void h2_session::announce(
    std::optional<std::uint32_t> initial_window, std::optional<std::uint32_t> header_table) noexcept {
    std::array<nghttp2_settings_entry, 2> entries{};
    std::size_t count = 0;
    if (initial_window) {
        entries[count++] = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, *initial_window};
    }
    if (header_table) {
        entries[count++] = {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, *header_table};
    }
    nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, entries.data(), count);
}

void h2_session::go_away(std::int32_t last, std::uint32_t code, std::string_view debug) {
    append_number(injected_, static_cast<std::uint32_t>(8 + debug.size()), 3);
    append_number(injected_, NGHTTP2_GOAWAY, 1);
    append_number(injected_, NGHTTP2_FLAG_NONE, 1);
    append_number(injected_, 0, 4);
    append_number(injected_, static_cast<std::uint32_t>(last), 4);
    append_number(injected_, code, 4);
    injected_ += debug;
    ignore_above_ = std::min(ignore_above_, last);
    for_each_open([last](request& asked) { asked.ignored = asked.ignored || asked.stream > last; });
}

void h2_session::stall_windows(bool stalled) noexcept {
    stalled_ = stalled;
    if (!stalled && stalled_credit_ > 0) {
        nghttp2_session_consume_connection(session_.get(), stalled_credit_);
        stalled_credit_ = 0;
    }
}

bool h2_session::take_output(std::string& out, std::size_t limit, bool one_answer) noexcept {
    out += injected_;
    injected_.clear();
    while (out.size() < limit) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
        if (size <= 0) {
            return false;
        }
        const std::string_view frame(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
        if (frame_type(frame) == NGHTTP2_SETTINGS && (frame_flags(frame) & NGHTTP2_FLAG_ACK) == 0) {
            append_settings(out, frame);
        } else {
            out += frame;
        }
        if (one_answer && ends_answer(frame)) {
            return true;
        }
    }
    return true;
}

void h2_session::append_settings(std::string& out, std::string_view frame) {
    constexpr std::size_t entry_size = 6;
    std::string entries;
    for (std::size_t at = frame_header_size; at < frame.size(); at += entry_size) {
        // Asked of nghttp2 for speed alone; no provider announces it.
        if (frame[at + 1] != NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES) {
            entries += frame.substr(at, entry_size);
        }
    }
    append_number(entries, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2);
    append_number(entries, wanted_limit_, 4);
    unacknowledged_.push_back(wanted_limit_);
    append_number(out, static_cast<std::uint32_t>(entries.size()), 3);
    out += frame.substr(3, frame_header_size - 3);
    out += entries;
}

std::uint32_t h2_session::newest_limit() const noexcept {
    return unacknowledged_.empty() ? acknowledged_ : unacknowledged_.back();
}

std::uint32_t h2_session::highest_limit() const noexcept {
    std::uint32_t highest = acknowledged_;
    for (const std::uint32_t limit : unacknowledged_) {
        highest = std::max(highest, limit);
    }
    return highest;
}

bool h2_session::alive() const noexcept {
    return nghttp2_session_want_read(session_.get()) != 0 || nghttp2_session_want_write(session_.get()) != 0;
}

}  // namespace tocsin::sim
