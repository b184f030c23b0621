// What a client may send, frame by frame: the other half of h2_session.cpp.

#include "tools/simulator/h2_session.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::sim {
namespace {

// More than any provider reads; the rest of a longer body is counted as too large already.
constexpr std::size_t body_limit = std::size_t{64} * 1024;
// Far above every list of fields that is asked for here; a peer that goes on for ever is stopped.
constexpr std::size_t block_limit = std::size_t{256} * 1024;

constexpr bool is_request_stream(std::int32_t stream) noexcept {
    return stream % 2 == 1;
}

}  // namespace

bool h2_session::feed(std::string_view bytes) {
    if (!preface_.empty()) {
        const std::size_t size = std::min(preface_.size(), bytes.size());
        if (bytes.substr(0, size) != std::string_view(preface_).substr(0, size)) {
            return false;
        }
        preface_.erase(0, size);
        bytes.remove_prefix(size);
    }
    if (!over_) {
        frames_.feed(bytes, [this](const frame_head& head, std::string_view payload) {
            return on_frame(head, payload);
        });
    }
    return true;
}

bool h2_session::on_frame(const frame_head& head, std::string_view payload) {
    const bool continues = head.type == NGHTTP2_CONTINUATION;
    if (head.size > largest_frame) {
        fail(NGHTTP2_FRAME_SIZE_ERROR, "frame too large");
    } else if (continues != block_head_.has_value() || (continues && head.stream != block_head_->stream)) {
        fail(NGHTTP2_PROTOCOL_ERROR, "a header block was interrupted, or none was begun");
    } else if (!settings_seen_ && head.type != NGHTTP2_SETTINGS) {
        fail(NGHTTP2_PROTOCOL_ERROR, "the first frame must be SETTINGS");
    } else {
        switch (head.type) {
            case NGHTTP2_DATA: on_data(head, payload); break;
            case NGHTTP2_HEADERS: on_headers(head, payload); break;
            case NGHTTP2_CONTINUATION: on_continuation(head, payload); break;
            case NGHTTP2_RST_STREAM: on_reset(head, payload); break;
            case NGHTTP2_SETTINGS: on_settings(head, payload); break;
            case NGHTTP2_PING: on_ping(head, payload); break;
            case NGHTTP2_WINDOW_UPDATE: on_window_update(head, payload); break;
            case NGHTTP2_GOAWAY:
                if (head.stream != 0 || payload.size() < 8) {
                    fail(NGHTTP2_PROTOCOL_ERROR, "GOAWAY");
                }
                peer_left_ = true;
                break;
            case NGHTTP2_PRIORITY:
                if (head.stream == 0 || payload.size() != 5) {
                    fail(NGHTTP2_PROTOCOL_ERROR, "PRIORITY");
                }
                break;
            case NGHTTP2_PUSH_PROMISE: fail(NGHTTP2_PROTOCOL_ERROR, "a client cannot push"); break;
            default: break;  // Extensions are ignored.
        }
    }
    return !over_;
}

// ---- Requests

std::optional<std::string_view> h2_session::without_padding(
    const frame_head& head, std::string_view payload) {
    if (!head.has(NGHTTP2_FLAG_PADDED)) {
        return payload;
    }
    const std::size_t padding = payload.empty() ? 0 : static_cast<unsigned char>(payload.front());
    if (padding >= payload.size()) {
        fail(NGHTTP2_PROTOCOL_ERROR, "more padding than frame");
        return std::nullopt;
    }
    return payload.substr(1, payload.size() - 1 - padding);
}

void h2_session::on_headers(const frame_head& head, std::string_view payload) {
    auto block = without_padding(head, payload);
    if (!block) {
        return;
    }
    if (head.has(NGHTTP2_FLAG_PRIORITY)) {
        constexpr std::size_t priority_size = 5;
        if (block->size() < priority_size) {
            fail(NGHTTP2_FRAME_SIZE_ERROR, "HEADERS with less than a priority");
            return;
        }
        block->remove_prefix(priority_size);
    }
    if (head.has(NGHTTP2_FLAG_END_HEADERS)) {
        on_block(head.stream, *block, head.has(NGHTTP2_FLAG_END_STREAM));
    } else {
        block_head_ = head;
        block_ = *block;
    }
}

void h2_session::on_continuation(const frame_head& head, std::string_view payload) {
    block_ += payload;
    if (block_.size() > block_limit) {
        fail(NGHTTP2_ENHANCE_YOUR_CALM, "header block too long");
    } else if (head.has(NGHTTP2_FLAG_END_HEADERS)) {
        const frame_head first = *std::exchange(block_head_, std::nullopt);
        on_block(first.stream, block_, first.has(NGHTTP2_FLAG_END_STREAM));
    }
}

void h2_session::on_block(std::int32_t stream, std::string_view block, bool last) {
    if (!is_request_stream(stream)) {
        fail(NGHTTP2_PROTOCOL_ERROR, "HEADERS on a stream that a client cannot open");
        return;
    }
    const bool trailers = stream <= highest_;
    // A stream that is gone may have been reset by us, with these fields already on the way.
    request* const asked = trailers ? find(stream) : &begin(stream);
    if (trailers && asked != nullptr && asked->ended) {
        fail(NGHTTP2_STREAM_CLOSED, "HEADERS after the end of a request");
        return;
    }
    reading_ = asked;
    const auto read = headers_.read(block, trailers, *this);
    if (read.worth == header_reader::verdict::broken) {
        fail(NGHTTP2_COMPRESSION_ERROR, "header block");
        return;
    }
    if (asked == nullptr) {
        return;
    }
    if (!trailers) {
        asked->content_length = read.content_length;
    }
    if (read.worth == header_reader::verdict::malformed || (trailers && !last)) {
        fail_stream(*asked, NGHTTP2_PROTOCOL_ERROR);
    }
    if (last) {
        end_request(*asked);
    }
}

void h2_session::on_field(std::string_view name, std::string_view value) noexcept {
    if (reading_ != nullptr && !reading_->ignored) {
        events_.on_header(*reading_, name, value);
    }
}

void h2_session::on_data(const frame_head& head, std::string_view payload) {
    const auto chunk = without_padding(head, payload);
    if (!chunk) {
        return;
    }
    if (head.stream == 0 || head.stream > highest_) {
        fail(NGHTTP2_PROTOCOL_ERROR, "DATA on a stream that was not opened");
        return;
    }
    const auto size = static_cast<std::int64_t>(head.size);
    if (size > 0 && size > receive_window_) {
        fail(NGHTTP2_FLOW_CONTROL_ERROR, "the connection's window is overrun");
        return;
    }
    receive_window_ -= size;
    consumed_ += head.size;
    give_back_connection();
    request* const asked = find(head.stream);
    if (asked == nullptr) {
        return;  // Reset, with this already on the way.
    }
    if (asked->ended) {
        fail(NGHTTP2_STREAM_CLOSED, "DATA after the end of a request");
        return;
    }
    if (size > 0 && size > asked->receive_window) {
        fail_stream(*asked, NGHTTP2_FLOW_CONTROL_ERROR);
        return;
    }
    asked->receive_window -= size;
    reading_ = asked;
    asked->arrived += chunk->size();
    const bool last = head.has(NGHTTP2_FLAG_END_STREAM);
    if (last && asked->body_text.empty()) {
        asked->body = *chunk;  // All of it, and no one asks for it later.
    } else if (!asked->ignored) {
        const std::size_t room = body_limit - std::min(body_limit, asked->body_text.size());
        asked->body = asked->body_text.append(chunk->substr(0, room));
    }
    if (last) {
        end_request(*asked);
    } else {
        asked->consumed += head.size;
        give_back_stream(*asked);
    }
}

void h2_session::on_reset(const frame_head& head, std::string_view payload) {
    if (payload.size() != 4) {
        fail(NGHTTP2_FRAME_SIZE_ERROR, "RST_STREAM");
    } else if (head.stream == 0 || head.stream > highest_) {
        fail(NGHTTP2_PROTOCOL_ERROR, "RST_STREAM on a stream that was not opened");
    } else if (request* asked = find(head.stream)) {
        std::erase(blocked_, asked);
        std::erase(finished_, asked);
        close(*asked);
    }
}

// ---- The connection

void h2_session::on_settings(const frame_head& head, std::string_view payload) {
    constexpr std::size_t entry_size = 6;
    const bool acknowledges = head.has(NGHTTP2_FLAG_ACK);
    if (head.stream != 0) {
        fail(NGHTTP2_PROTOCOL_ERROR, "SETTINGS of a stream");
        return;
    }
    if (payload.size() % entry_size != 0 || (acknowledges && !payload.empty())) {
        fail(NGHTTP2_FRAME_SIZE_ERROR, "SETTINGS");
        return;
    }
    if (acknowledges) {
        on_settings_acknowledged();
        return;
    }
    settings_seen_ = true;
    for (; !payload.empty() && !over_; payload.remove_prefix(entry_size)) {
        on_setting(
            static_cast<std::uint16_t>(read_number(payload.data()) >> 16U), read_number(payload.data() + 2));
    }
    append_head(output_, 0, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0);
    send_blocked();
}

void h2_session::on_setting(std::uint16_t id, std::uint32_t value) {
    switch (id) {
        case NGHTTP2_SETTINGS_HEADER_TABLE_SIZE:
            nghttp2_hd_deflate_change_table_size(deflater_.get(), value);
            break;
        case NGHTTP2_SETTINGS_ENABLE_PUSH:
            if (value > 1) {
                fail(NGHTTP2_PROTOCOL_ERROR, "ENABLE_PUSH");
            }
            break;
        case NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE:
            if (value > largest_window) {
                fail(NGHTTP2_FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE");
            } else {
                const auto change = std::int64_t{value} - std::exchange(peer_initial_window_, value);
                for_each_open([change](request& asked) { asked.send_window += change; });
            }
            break;
        case NGHTTP2_SETTINGS_MAX_FRAME_SIZE:
            // We send no larger frame than the smallest limit that a peer can have.
            if (value < largest_frame || value > 0xFFFFFFU) {
                fail(NGHTTP2_PROTOCOL_ERROR, "MAX_FRAME_SIZE");
            }
            break;
        default: break;
    }
}

void h2_session::on_settings_acknowledged() {
    if (unacknowledged_.empty()) {
        fail(NGHTTP2_PROTOCOL_ERROR, "SETTINGS acknowledged that were not sent");
        return;
    }
    const announcement held = unacknowledged_.front();
    unacknowledged_.pop_front();
    acknowledged_ = held.streams;
    if (held.initial_window) {
        const auto change =
            std::int64_t{*held.initial_window} - std::exchange(stream_window_, *held.initial_window);
        for_each_open([change](request& asked) { asked.receive_window += change; });
    }
    if (held.header_table) {
        headers_.change_table_size(*held.header_table);
    }
}

void h2_session::on_ping(const frame_head& head, std::string_view payload) {
    if (head.stream != 0) {
        fail(NGHTTP2_PROTOCOL_ERROR, "PING of a stream");
    } else if (payload.size() != 8) {
        fail(NGHTTP2_FRAME_SIZE_ERROR, "PING");
    } else if (!head.has(NGHTTP2_FLAG_ACK)) {
        append_head(output_, payload.size(), NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0);
        output_ += payload;
        if (active_ == 0) {
            events_.on_idle_ping();
        }
    }
}

void h2_session::fail(nghttp2_error_code code, std::string_view words) {
    if (std::exchange(over_, true)) {
        return;
    }
    events_.on_protocol_error(code, false);
    go_away(last_processed_, code, words);
}

void h2_session::fail_stream(request& asked, nghttp2_error_code code) {
    if (!asked.ignored) {
        events_.on_protocol_error(code, true);
        reset(asked, code);
    }
}

// ---- Windows

void h2_session::on_window_update(const frame_head& head, std::string_view payload) {
    if (payload.size() != 4) {
        fail(NGHTTP2_FRAME_SIZE_ERROR, "WINDOW_UPDATE");
        return;
    }
    const std::int64_t more = read_number(payload.data()) & 0x7FFFFFFFU;
    if (head.stream == 0) {
        send_window_ += more;
        if (more == 0 || send_window_ > largest_window) {
            fail(more == 0 ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_FLOW_CONTROL_ERROR, "WINDOW_UPDATE");
            return;
        }
    } else if (head.stream > highest_) {
        fail(NGHTTP2_PROTOCOL_ERROR, "WINDOW_UPDATE on a stream that was not opened");
        return;
    } else if (request* asked = find(head.stream)) {
        asked->send_window += more;
        if (more == 0 || asked->send_window > largest_window) {
            fail_stream(*asked, more == 0 ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_FLOW_CONTROL_ERROR);
        }
    }
    send_blocked();
}

// Half a window at a time: fewer frames, and a client that obeys never waits for them.
void h2_session::give_back_connection() {
    if (!stalled_ && consumed_ > 0 && static_cast<std::int64_t>(consumed_) >= connection_window_ / 2) {
        append_window_update(0, consumed_);
        receive_window_ += static_cast<std::int64_t>(std::exchange(consumed_, 0));
    }
}

void h2_session::give_back_stream(request& asked) {
    if (!stalled_ && asked.consumed > 0 && static_cast<std::int64_t>(asked.consumed) >= stream_window_ / 2) {
        append_window_update(asked.stream, asked.consumed);
        asked.receive_window += static_cast<std::int64_t>(std::exchange(asked.consumed, 0));
    }
}

void h2_session::stall_windows(bool stalled) {
    stalled_ = stalled;
    give_back_connection();
    for_each_open([this](request& asked) {
        if (!asked.ended) {
            give_back_stream(asked);
        }
    });
}

}  // namespace tocsin::sim
