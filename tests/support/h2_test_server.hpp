#pragma once

#include "engine/core/c_handle.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::testing {

/// The server side of an HTTP/2 connection in memory: bytes in, bytes out. It does what a test
/// tells it to, right or wrong.
class h2_test_server {
public:
    using fields = std::vector<std::pair<std::string, std::string>>;

    struct received_request {
        std::map<std::string, std::string> headers;
        std::string body;
        bool ended = false;
        bool reset = false;
    };

    struct options {
        std::vector<nghttp2_settings_entry> settings;
        bool give_credit = true;  ///< Send WINDOW_UPDATE for the DATA received.
    };

    h2_test_server() : h2_test_server(options{}) {}
    explicit h2_test_server(const options& given) {
        nghttp2_session_callbacks* raw_callbacks = nullptr;
        nghttp2_session_callbacks_new(&raw_callbacks);
        const c_handle<nghttp2_session_callbacks, nghttp2_session_callbacks_del> callbacks(raw_callbacks);
        nghttp2_session_callbacks_set_on_header_callback(callbacks.get(), &on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks.get(), &on_chunk);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks.get(), &on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks.get(), &on_close);
        nghttp2_option* raw_option = nullptr;
        nghttp2_option_new(&raw_option);
        const c_handle<nghttp2_option, nghttp2_option_del> option(raw_option);
        nghttp2_option_set_no_auto_window_update(option.get(), given.give_credit ? 0 : 1);
        nghttp2_session* raw = nullptr;
        nghttp2_session_server_new2(&raw, callbacks.get(), this, option.get());
        session_.reset(raw);
        set(given.settings);
    }
    h2_test_server(const h2_test_server&) = delete;
    h2_test_server& operator=(const h2_test_server&) = delete;

    /// False once the client has broken the protocol.
    bool feed(std::string_view bytes) {
        const auto consumed = nghttp2_session_mem_recv(
            session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
        healthy_ = healthy_ && consumed == static_cast<ssize_t>(bytes.size());
        return healthy_;
    }

    std::string take_output() {
        std::string out = std::exchange(raw_output_, {});
        for (const std::uint8_t* data = nullptr;;) {
            const auto size = nghttp2_session_mem_send(session_.get(), &data);
            if (size <= 0) {
                return out;
            }
            out.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
        }
    }

    void set(const std::vector<nghttp2_settings_entry>& settings) {
        nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
        ++settings_not_acknowledged_;
    }
    void set(std::int32_t id, std::uint32_t value) { set({{id, value}}); }

    /// Answers with `status`, `more` header fields, and `body` in one or more DATA frames.
    void respond(
        std::int32_t stream, const std::string& status, std::string body = {}, const fields& more = {}) {
        fields all{{":status", status}};
        all.insert(all.end(), more.begin(), more.end());
        auto header = to_nv(all);
        bodies_[stream] = std::move(body);
        nghttp2_data_provider provider{};
        provider.source.ptr = &bodies_[stream];
        provider.read_callback = &read_body;
        nghttp2_submit_response(
            session_.get(), stream, header.data(), header.size(),
            bodies_[stream].empty() ? nullptr : &provider);
    }
    /// A 1xx answer, with the final one still to come.
    void respond_interim(std::int32_t stream, const std::string& status, const fields& more = {}) {
        fields all{{":status", status}};
        all.insert(all.end(), more.begin(), more.end());
        auto header = to_nv(all);
        nghttp2_submit_headers(
            session_.get(), NGHTTP2_FLAG_NONE, stream, nullptr, header.data(), header.size(), nullptr);
    }
    void reset(std::int32_t stream, std::uint32_t code) {
        nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream, code);
    }
    void refuse(std::int32_t stream) { reset(stream, NGHTTP2_REFUSED_STREAM); }
    void go_away(std::int32_t last, std::uint32_t code = NGHTTP2_NO_ERROR, std::string_view text = {}) {
        nghttp2_submit_goaway(
            session_.get(), NGHTTP2_FLAG_NONE, last, code, reinterpret_cast<const std::uint8_t*>(text.data()),
            text.size());
    }
    /// The first GOAWAY of a graceful shutdown: last id 2^31 - 1.
    void announce_shutdown() { nghttp2_submit_shutdown_notice(session_.get()); }
    void give_window(std::int32_t stream, std::int32_t increment) {
        nghttp2_submit_window_update(session_.get(), NGHTTP2_FLAG_NONE, stream, increment);
    }
    /// Sends bytes that nghttp2 would not.
    void send_raw(std::string_view bytes) { raw_output_ += bytes; }

    [[nodiscard]] std::map<std::int32_t, received_request>& requests() noexcept { return requests_; }
    [[nodiscard]] const std::map<std::int32_t, received_request>& requests() const noexcept {
        return requests_;
    }
    [[nodiscard]] bool settings_acknowledged() const noexcept { return settings_not_acknowledged_ == 0; }
    [[nodiscard]] std::size_t pings() const noexcept { return pings_; }
    [[nodiscard]] std::size_t most_open() const noexcept { return most_open_; }
    [[nodiscard]] bool healthy() const noexcept { return healthy_; }
    [[nodiscard]] bool said_goodbye() const noexcept { return said_goodbye_; }
    /// How much DATA the client lets us send on the whole connection.
    [[nodiscard]] std::int32_t send_window() const noexcept {
        return nghttp2_session_get_remote_window_size(session_.get());
    }
    [[nodiscard]] nghttp2_session* native() const noexcept { return session_.get(); }

    /// Called with each request that is complete.
    std::function<void(std::int32_t stream, const received_request&)> on_request;

private:
    static h2_test_server& self(void* user_data) { return *static_cast<h2_test_server*>(user_data); }

    static std::vector<nghttp2_nv> to_nv(const fields& from) {
        std::vector<nghttp2_nv> out;
        for (const auto& [name, value] : from) {
            out.push_back(
                {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                 reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                 NGHTTP2_NV_FLAG_NONE});
        }
        return out;
    }

    static int on_header(
        nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
        const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user_data) {
        h2_test_server& me = self(user_data);
        auto& request = me.requests_[frame->hd.stream_id];
        if (request.headers.empty()) {
            me.most_open_ = std::max(me.most_open_, ++me.open_);
        }
        request.headers[std::string(reinterpret_cast<const char*>(name), name_size)] =
            std::string(reinterpret_cast<const char*>(value), value_size);
        return 0;
    }
    static int on_chunk(
        nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* data, std::size_t size,
        void* user_data) {
        self(user_data).requests_[stream].body.append(reinterpret_cast<const char*>(data), size);
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
        h2_test_server& me = self(user_data);
        const bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
        me.pings_ += frame->hd.type == NGHTTP2_PING && !ack ? 1 : 0;
        me.settings_not_acknowledged_ -= frame->hd.type == NGHTTP2_SETTINGS && ack ? 1 : 0;
        me.said_goodbye_ = me.said_goodbye_ || frame->hd.type == NGHTTP2_GOAWAY;
        if (frame->hd.type == NGHTTP2_RST_STREAM) {
            me.requests_[frame->hd.stream_id].reset = true;
        }
        const bool carries_request = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
        if (carries_request && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
            auto& request = me.requests_[frame->hd.stream_id];
            request.ended = true;
            if (me.on_request) {
                me.on_request(frame->hd.stream_id, request);
            }
        }
        return 0;
    }
    static int on_close(nghttp2_session*, std::int32_t, std::uint32_t, void* user_data) {
        h2_test_server& me = self(user_data);
        me.open_ -= me.open_ != 0 ? 1 : 0;
        return 0;
    }
    static ssize_t read_body(
        nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t capacity, std::uint32_t* flags,
        nghttp2_data_source* source, void*) {
        auto& body = *static_cast<std::string*>(source->ptr);
        const std::size_t count = std::min(capacity, body.size());
        std::memcpy(out, body.data(), count);
        body.erase(0, count);
        *flags |= body.empty() ? static_cast<std::uint32_t>(NGHTTP2_DATA_FLAG_EOF) : 0U;
        return static_cast<ssize_t>(count);
    }

    std::map<std::int32_t, received_request> requests_;
    std::map<std::int32_t, std::string> bodies_;
    std::string raw_output_;
    std::size_t settings_not_acknowledged_ = 0;
    std::size_t pings_ = 0;
    std::size_t open_ = 0;
    std::size_t most_open_ = 0;
    bool healthy_ = true;
    bool said_goodbye_ = false;
    c_handle<nghttp2_session, nghttp2_session_del> session_;
};

}  // namespace tocsin::testing
