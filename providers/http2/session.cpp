#include "providers/http2/session.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

namespace tocsin::http2 {
namespace {

using callbacks_handle = c_handle<nghttp2_session_callbacks, nghttp2_session_callbacks_del>;

// What the peer may send us before we must give credit back: the answers of a full connection.
constexpr std::int32_t receive_window = 1024 * 1024;
constexpr std::size_t largest_answer_body = std::size_t{16} * 1024;
// With a smaller stream window than this we wait for a larger one instead of sending crumbs.
constexpr std::size_t smallest_useful_window = 1024;
constexpr std::size_t output_room = std::size_t{80} * 1024;

std::string_view to_view(const std::uint8_t* data, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(data), size};
}

// Neither name nor value is copied: submit() has the frames made before it returns, so the
// views need not outlive it. Casting away const is safe, nghttp2 only reads.
nghttp2_nv to_nv(const field& from) noexcept {
    constexpr std::uint8_t in_place = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
    const bool never = from.how == indexing::never;
    return {
        reinterpret_cast<std::uint8_t*>(const_cast<char*>(from.name.data())),
        reinterpret_cast<std::uint8_t*>(const_cast<char*>(from.value.data())),
        from.name.size(),
        from.value.size(),
        static_cast<std::uint8_t>(never ? in_place | NGHTTP2_NV_FLAG_NO_INDEX : in_place),
    };
}

struct close_reason {
    failure why;
    http2_errc detail;
};

close_reason to_close_reason(std::uint32_t http2_code) noexcept {
    switch (http2_code) {
        case NGHTTP2_REFUSED_STREAM: return {failure::not_processed, http2_errc::stream_refused};
        case NGHTTP2_ENHANCE_YOUR_CALM: return {failure::unknown, http2_errc::enhance_your_calm};
        case NGHTTP2_HTTP_1_1_REQUIRED: return {failure::unknown, http2_errc::http_1_1_required};
        case NGHTTP2_PROTOCOL_ERROR: return {failure::unknown, http2_errc::malformed_answer};
        default: return {failure::unknown, http2_errc::stream_reset};
    }
}

}  // namespace

struct session::callbacks {
    static session& self(void* user_data) noexcept { return *static_cast<session*>(user_data); }

    static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user_data) noexcept {
        session& me = self(user_data);
        me.in_header_ = me.find(frame->hd.stream_id);
        if (me.in_header_ != nullptr && !me.in_header_->final_status) {
            // Whatever an interim (1xx) answer said does not belong to the final one.
            me.in_header_->status = 0;
            me.in_header_->content_type.clear();
            me.in_header_->retry_after.clear();
            me.in_header_->provider_id.clear();
        }
        return 0;
    }

    static int on_header(
        nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
        const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user_data) noexcept {
        stream_slot* slot = self(user_data).in_header_;
        if (slot == nullptr || slot->final_status) {
            return 0;  // Nobody waits, or these are trailers.
        }
        const std::string_view key = to_view(name, name_size);
        const std::string_view text = to_view(value, value_size);
        if (key == ":status") {
            std::from_chars(text.data(), text.data() + text.size(), slot->status);
        } else if (key == "apns-id") {
            slot->provider_id.assign(text);
        } else if (key == "content-type") {
            slot->content_type.assign(text);
        } else if (key == "retry-after") {
            slot->retry_after.assign(text);
        }
        return 0;
    }

    static int on_chunk(
        nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* data, std::size_t size,
        void* user_data) noexcept {
        stream_slot* slot = self(user_data).find(stream);
        if (slot != nullptr && slot->waiting) {
            const std::size_t room =
                largest_answer_body - std::min(largest_answer_body, slot->received.size());
            slot->received.append(to_view(data, std::min(size, room)));
        }
        return 0;
    }

    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) noexcept {
        session& me = self(user_data);
        switch (frame->hd.type) {
            case NGHTTP2_HEADERS:
                if (me.in_header_ != nullptr) {
                    me.in_header_->final_status = me.in_header_->status >= 200;
                }
                [[fallthrough]];
            case NGHTTP2_DATA:
                if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
                    if (stream_slot* slot = me.find(frame->hd.stream_id)) {
                        me.answer(*slot);
                    }
                }
                break;
            case NGHTTP2_SETTINGS:
                if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
                    me.settings_received_ = true;
                    me.refresh_limits();
                }
                break;
            case NGHTTP2_PING:
                if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
                    me.ping_pending_ = false;
                }
                break;
            case NGHTTP2_GOAWAY:
                me.stop_accepting(
                    frame->goaway.error_code == NGHTTP2_ENHANCE_YOUR_CALM ? http2_errc::enhance_your_calm
                                                                          : http2_errc::going_away);
                me.events_.on_going_away(
                    frame->goaway.error_code,
                    to_view(frame->goaway.opaque_data, frame->goaway.opaque_data_len));
                break;
            default: break;  // nghttp2 acts on the rest.
        }
        return 0;
    }

    static int on_closed(
        nghttp2_session*, std::int32_t stream, std::uint32_t code, void* user_data) noexcept {
        session& me = self(user_data);
        stream_slot* slot = me.find(stream);
        if (slot == nullptr) {
            return 0;
        }
        if (slot->waiting) {
            if (code == NGHTTP2_INTERNAL_ERROR) {
                ++me.internal_errors_in_a_row_;
            }
            const close_reason reason = to_close_reason(code);
            me.fail(*slot, reason.why, reason.detail);
        }
        if (me.in_header_ == slot) {
            me.in_header_ = nullptr;
        }
        me.last_found_ = nullptr;
        me.slots_.give_back(*slot);
        return 0;
    }

    // A request that nghttp2 could not put into frames. It is always the newest: submit() has each one
    // framed at once.
    static int on_not_sent(
        nghttp2_session* handle, const nghttp2_frame* frame, int, void* user_data) noexcept {
        session& me = self(user_data);
        stream_slot* slot = me.order_.newest();
        if (frame->hd.type != NGHTTP2_HEADERS || slot == nullptr || slot->id != frame->hd.stream_id) {
            return 0;
        }
        me.fail(*slot, failure::not_processed, http2_errc::not_sent);
        if (nghttp2_session_get_stream_user_data(handle, slot->id) == nullptr) {
            me.slots_.give_back(*slot);  // Never opened, so on_closed will not come.
        }
        return 0;
    }

    static ssize_t read_body(
        nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t capacity, std::uint32_t* flags,
        nghttp2_data_source* source, void*) noexcept {
        auto& slot = *static_cast<stream_slot*>(source->ptr);
        if (!slot.waiting) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // The body may be gone: reset the stream.
        }
        std::size_t written = 0;
        while (!slot.body_sent()) {
            const std::string_view rest = slot.body[slot.part].substr(slot.offset);
            const std::size_t count = std::min(rest.size(), capacity - written);
            if (count != 0) {
                std::memcpy(out + written, rest.data(), count);
            }
            written += count;
            if (count < rest.size()) {
                slot.offset += count;
                break;
            }
            ++slot.part;
            slot.offset = 0;
        }
        if (slot.body_sent()) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        }
        return static_cast<ssize_t>(written);
    }
};

session::session(const session_options& options, session_events& events)
    : options_(options), events_(events) {
    nghttp2_session_callbacks* raw_callbacks = nullptr;
    if (nghttp2_session_callbacks_new(&raw_callbacks) != 0) {
        throw std::bad_alloc();
    }
    const callbacks_handle handlers(raw_callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(handlers.get(), &callbacks::on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(handlers.get(), &callbacks::on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(handlers.get(), &callbacks::on_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(handlers.get(), &callbacks::on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(handlers.get(), &callbacks::on_closed);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(handlers.get(), &callbacks::on_not_sent);

    nghttp2_session* raw_session = nullptr;
    if (nghttp2_session_client_new(&raw_session, handlers.get(), this) != 0) {
        throw std::bad_alloc();
    }
    session_.reset(raw_session);
    output_.reserve(output_room);

    constexpr auto settings = std::to_array<nghttp2_settings_entry>({{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}});
    if (nghttp2_submit_settings(raw_session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) != 0 ||
        nghttp2_session_set_local_window_size(raw_session, NGHTTP2_FLAG_NONE, 0, receive_window) != 0 ||
        nghttp2_session_set_next_stream_id(raw_session, options.first_stream_id) != 0) {
        throw std::bad_alloc();
    }
    pump();
}

std::size_t session::credit() const noexcept {
    const std::size_t limit = std::min(peer_limit_, options_.stream_cap);
    const std::size_t open = slots_.size();
    if (!settings_received_ || !accepting() || open >= limit || window_ < largest_body_ ||
        initial_window_ < smallest_useful_window) {
        return 0;
    }
    return std::min(limit - open, window_ / last_body_);
}

error_code session::submit(client& who, const request& what, time_point now) {
    if (!accepting()) {
        return ending_;
    }
    if (!settings_received_ || slots_.size() >= std::min(peer_limit_, options_.stream_cap)) {
        return http2_errc::no_free_stream;
    }
    std::array<nghttp2_nv, request::max_fields> fields;  // NOLINT: only field_count of them are read.
    std::transform(what.fields.begin(), what.fields.begin() + what.field_count, fields.begin(), to_nv);

    const std::size_t body_size = what.body_size();
    stream_slot& slot = slots_.take();
    slot.who = &who;
    slot.context = what.context;
    slot.submitted_at = now;
    slot.body = what.body;
    slot.part = body_size == 0 ? slot.body.size() : 0;

    nghttp2_data_provider provider{};
    provider.source.ptr = &slot;
    provider.read_callback = &callbacks::read_body;
    const std::int32_t id = nghttp2_submit_request(
        session_.get(), nullptr, fields.data(), what.field_count, body_size == 0 ? nullptr : &provider,
        &slot);
    if (id < 0) {
        slots_.give_back(slot);
        if (id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE) {
            stop_accepting(http2_errc::ids_exhausted);
        }
        return id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE ? http2_errc::ids_exhausted : http2_errc::not_sent;
    }
    slot.id = id;
    order_.push_back(slot);
    if (body_size != 0) {
        last_body_ = body_size;
        largest_body_ = std::max(largest_body_, body_size);
    }
    if (id > std::numeric_limits<std::int32_t>::max() - 2) {
        stop_accepting(http2_errc::ids_exhausted);
    }
    pump();
    return {};
}

error_code session::feed(std::string_view bytes, time_point now) {
    if (broken_) {
        return ending_;
    }
    now_ = now;
    inside_ = true;
    const ssize_t consumed = nghttp2_session_mem_recv(
        session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    inside_ = false;
    pump();
    // Bytes that are not HTTP/2 do not fail: nghttp2 queues a GOAWAY of its own and is done.
    if (consumed < 0 || (!going_away_ && !alive())) {
        stop_accepting(http2_errc::protocol_violation);
        broken_ = true;
        return ending_;
    }
    return {};
}

std::size_t session::expire(time_point now) {
    std::size_t expired = 0;
    for (stream_slot* slot = order_.oldest();
         slot != nullptr && slot->submitted_at + options_.request_timeout <= now; slot = order_.oldest()) {
        ++expired;
        ++timeouts_in_a_row_;
        if (timeouts_in_a_row_ <= timeouts_to_retire) {
            reset(slot->id);
        }
        fail(*slot, failure::timed_out, http2_errc::deadline_exceeded);
    }
    if (expired != 0) {
        pump();
    }
    return expired;
}

std::optional<time_point> session::next_deadline() const noexcept {
    const stream_slot* slot = order_.oldest();
    return slot == nullptr ? std::nullopt : std::optional(slot->submitted_at + options_.request_timeout);
}

void session::forget(client& who) {
    for (stream_slot* slot = order_.oldest(); slot != nullptr;) {
        stream_slot* const next = slot->newer;
        if (slot->who == &who) {
            slot->who = nullptr;
            if (!slot->body_sent()) {  // The rest of the body goes away with its owner.
                order_.remove(*slot);
                reset(slot->id);
            }
        }
        slot = next;
    }
    pump();
}

void session::fail_all(error_code detail) noexcept {
    stop_accepting(detail);
    broken_ = true;
    while (stream_slot* slot = order_.oldest()) {
        const bool written = slot->written_at != time_point{};
        fail(*slot, written ? failure::unknown : failure::not_processed, detail);
    }
}

void session::ping() {
    if (!ping_pending_ && !broken_) {
        ping_pending_ = nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr) == 0;
        pump();
    }
}

void session::say_goodbye() {
    if (!broken_) {
        stop_accepting(http2_errc::closed_here);
        nghttp2_session_terminate_session(session_.get(), NGHTTP2_NO_ERROR);
        pump();
    }
}

bool session::alive() const noexcept {
    return !broken_ && (nghttp2_session_want_read(session_.get()) != 0 ||
                        nghttp2_session_want_write(session_.get()) != 0);
}

void session::pump() {
    if (inside_) {
        return;  // Whoever is inside pumps before it leaves.
    }
    inside_ = true;
    for (;;) {
        const std::uint8_t* data = nullptr;
        const ssize_t size = nghttp2_session_mem_send(session_.get(), &data);
        if (size <= 0) {
            if (size < 0) {
                stop_accepting(http2_errc::connection_lost);
                broken_ = true;
            }
            break;
        }
        output_.append(to_view(data, static_cast<std::size_t>(size)));
    }
    inside_ = false;
    window_ = static_cast<std::size_t>(std::max(0, nghttp2_session_get_remote_window_size(session_.get())));
}

void session::stop_accepting(error_code why) noexcept {
    if (!going_away_) {
        going_away_ = true;
        ending_ = why;
    }
}

void session::refresh_limits() noexcept {
    peer_limit_ =
        nghttp2_session_get_remote_settings(session_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    initial_window_ =
        nghttp2_session_get_remote_settings(session_.get(), NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
}

stream_slot* session::find(std::int32_t id) noexcept {
    // Frames of one stream come in a row, and looking a stream up means hashing.
    if (last_found_ == nullptr || last_found_->id != id) {
        last_found_ = static_cast<stream_slot*>(nghttp2_session_get_stream_user_data(session_.get(), id));
    }
    return last_found_;
}

void session::answer(stream_slot& slot) noexcept {
    timeouts_in_a_row_ = 0;
    internal_errors_in_a_row_ = 0;
    if (!slot.waiting) {
        return;
    }
    order_.remove(slot);
    if (!slot.body_sent()) {
        reset(slot.id);  // The peer has decided without it.
    }
    if (slot.who == nullptr) {
        return;
    }
    response complete;
    complete.context = slot.context;
    complete.status = slot.status;
    complete.body = slot.received;
    complete.content_type = slot.content_type.view();
    complete.retry_after = slot.retry_after.view();
    complete.provider_id = slot.provider_id.view();
    complete.connection = options_.connection;
    complete.written_at = slot.written_at;
    complete.answered_at = now_;
    events_.on_answer(*std::exchange(slot.who, nullptr), complete);
}

void session::fail(stream_slot& slot, failure why, error_code detail) noexcept {
    order_.remove(slot);
    if (slot.who == nullptr) {
        return;
    }
    failed_request failed;
    failed.context = slot.context;
    failed.why = why;
    failed.detail = detail;
    failed.connection = options_.connection;
    failed.written_at = slot.written_at;
    events_.on_failure(*std::exchange(slot.who, nullptr), failed);
}

void session::reset(std::int32_t id) noexcept {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

}  // namespace tocsin::http2
