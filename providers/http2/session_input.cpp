#include "providers/http2/session.hpp"

#include <algorithm>
#include <chrono>

// What a session reads. Everything here comes from outside: each number is held against RFC 9113 before it is
// used, a breach of the rules for one stream costs that stream, and one of the connection's rules ends it.

namespace tocsin::http2 {
namespace {

// What a header block of several frames may come to: answers of providers have some hundred bytes.
constexpr std::size_t largest_block = std::size_t{64} * 1024;
// Frames that a peer may make us write before we get to write them: above that it is an attack.
constexpr std::size_t most_replies = 1'000;

constexpr std::size_t priority_size = 5;
constexpr std::size_t setting_size = 6;
constexpr std::size_t ping_size = 8;
constexpr std::size_t smallest_goaway = 8;

/// Padding (section 6.1) is cut off; false if there is more of it than there are bytes.
[[nodiscard]] bool cut_padding(const frame& what, std::string_view& payload) noexcept {
    if (!what.has(frame_flag::padded)) {
        return true;
    }
    if (payload.empty()) {
        return false;
    }
    const std::size_t padding = static_cast<std::uint8_t>(payload.front());
    payload.remove_prefix(1);
    if (padding > payload.size()) {
        return false;
    }
    payload.remove_suffix(padding);
    return true;
}

struct close_reason {
    failure why;
    http2_errc detail;
};

close_reason to_close_reason(h2_code code) noexcept {
    switch (code) {
        case h2_code::refused_stream: return {failure::not_processed, http2_errc::stream_refused};
        case h2_code::enhance_your_calm: return {failure::unknown, http2_errc::enhance_your_calm};
        case h2_code::http_1_1_required: return {failure::unknown, http2_errc::http_1_1_required};
        default: return {failure::unknown, http2_errc::stream_reset};
    }
}

}  // namespace

error_code session::feed(std::string_view bytes, time_point now) {
    if (broken_) {
        return ending_;
    }
    now_ = now;
    input_.give(bytes);
    for (frame next;;) {
        switch (input_.next(next)) {
            case frame_reader::outcome::frame:
                if (!allow_frame() || !receive(next)) {
                    return http2_errc::protocol_violation;
                }
                break;
            case frame_reader::outcome::starved: return {};
            case frame_reader::outcome::too_large:
                static_cast<void>(violated(h2_code::frame_size_error));
                return http2_errc::protocol_violation;
        }
    }
}

bool session::violated(h2_code code) {
    write_goaway(code);
    stop_accepting(http2_errc::protocol_violation);
    broken_ = true;
    return false;
}

/// Frames that cost a peer nothing cost us time: a peer may send some for each request, and some more for
/// each second (RFC 9113, section 10.5).
bool session::allow_frame() {
    if (frames_allowed_ == 0) [[unlikely]] {
        if (now_ - allowance_since_ < std::chrono::seconds(1)) {
            return violated(h2_code::enhance_your_calm);
        }
        allowance_since_ = now_;
        frames_allowed_ = frames_a_second;
    }
    --frames_allowed_;
    return true;
}

bool session::count_reply() {
    return ++replies_ <= most_replies || violated(h2_code::enhance_your_calm);
}

/// A stream that nobody has opened yet; the peer's own (even) ones never can be, without server push.
bool session::is_idle(std::uint32_t stream) const noexcept {
    return stream % 2 == 0 || stream >= next_id_;
}

bool session::receive(const frame& what) {
    if (continued_ != 0 && (what.type != frame_type::continuation || what.stream != continued_)) {
        return violated(h2_code::protocol_error);
    }
    if (!settings_received_ && (what.type != frame_type::settings || what.has(frame_flag::ack))) {
        return violated(h2_code::protocol_error);
    }
    switch (what.type) {
        case frame_type::data: return receive_data(what);
        case frame_type::headers: return receive_headers(what);
        case frame_type::continuation: return receive_continuation(what);
        case frame_type::rst_stream: return receive_reset(what);
        case frame_type::settings: return receive_settings(what);
        case frame_type::ping: return receive_ping(what);
        case frame_type::goaway: return receive_goaway(what);
        case frame_type::window_update: return receive_window_update(what);
        case frame_type::push_promise: return violated(h2_code::protocol_error);
        case frame_type::priority:
            if (what.stream == 0) {
                return violated(h2_code::protocol_error);
            }
            return what.payload.size() == priority_size || violated(h2_code::frame_size_error);
    }
    return true;  // Frames of types that we do not know are ignored (section 4.1).
}

bool session::receive_data(const frame& what) {
    std::string_view bytes = what.payload;
    if (is_idle(what.stream) || !cut_padding(what, bytes)) {
        return violated(h2_code::protocol_error);
    }
    const bool ends_stream = what.has(frame_flag::end_stream);
    highest_heard_ = std::max(highest_heard_, what.stream);
    stream_slot* const slot = streams_.find(what.stream);
    if (!give_credit(slot, what.payload.size(), ends_stream)) {
        return false;
    }
    if (slot == nullptr) {
        return true;  // Closed by us a moment ago.
    }
    answer_of(*slot).data(bytes);
    return go_on(*slot, ends_stream);
}

/// After each part of an answer.
bool session::go_on(stream_slot& slot, bool ends_stream) {
    if (ends_stream) {
        complete(slot);
    } else if (slot.received->malformed()) {
        abandon(slot, h2_code::protocol_error, http2_errc::malformed_answer);
        return count_reply();
    }
    return true;
}

/// Gives back what DATA has used up of our windows, half a window at a time.
bool session::give_credit(stream_slot* slot, std::size_t received, bool ends_stream) {
    unacknowledged_ += received;
    if (unacknowledged_ > receive_window) {
        return violated(h2_code::flow_control_error);
    }
    if (unacknowledged_ >= receive_window / 2) {
        write_window_update(0, static_cast<std::uint32_t>(unacknowledged_));
        unacknowledged_ = 0;
    }
    if (slot == nullptr || ends_stream) {
        return true;
    }
    slot->unacknowledged += static_cast<std::uint32_t>(received);
    if (slot->unacknowledged > default_window) {
        return violated(h2_code::flow_control_error);
    }
    if (slot->unacknowledged >= default_window / 2) {
        write_window_update(slot->id, slot->unacknowledged);
        slot->unacknowledged = 0;
    }
    return true;
}

bool session::receive_headers(const frame& what) {
    std::string_view block = what.payload;
    if (is_idle(what.stream) || !cut_padding(what, block)) {
        return violated(h2_code::protocol_error);
    }
    if (what.has(frame_flag::priority)) {
        if (block.size() < priority_size) {
            return violated(h2_code::frame_size_error);
        }
        block.remove_prefix(priority_size);
    }
    highest_heard_ = std::max(highest_heard_, what.stream);
    if (what.has(frame_flag::end_headers)) [[likely]] {
        return end_header_block(what.stream, block, what.has(frame_flag::end_stream));
    }
    block_ = block;
    continued_ = what.stream;
    continued_ends_stream_ = what.has(frame_flag::end_stream);
    return true;
}

bool session::receive_continuation(const frame& what) {
    if (continued_ == 0) {
        return violated(h2_code::protocol_error);
    }
    const bool last = what.has(frame_flag::end_headers);
    if (block_.size() + what.payload.size() > largest_block || (what.payload.empty() && !last)) {
        return violated(h2_code::enhance_your_calm);
    }
    block_ += what.payload;
    if (!last) {
        return true;
    }
    const std::uint32_t stream = continued_;
    continued_ = 0;
    return end_header_block(stream, block_, continued_ends_stream_);
}

bool session::end_header_block(std::uint32_t stream, std::string_view block, bool ends_stream) {
    stream_slot* const slot = streams_.find(stream);
    if (slot == nullptr) {
        // Nobody waits, but what the block puts into the header table, later ones refer to.
        return decoder_.decode(block, [](std::string_view, std::string_view) {}) ||
               violated(h2_code::compression_error);
    }
    answer& said = answer_of(*slot);
    said.begin_block();
    const auto take = [&said](std::string_view name, std::string_view value) { said.field(name, value); };
    if (!decoder_.decode(block, take)) {
        return violated(h2_code::compression_error);
    }
    said.end_block(ends_stream);
    return go_on(*slot, ends_stream);
}

bool session::receive_reset(const frame& what) {
    if (what.payload.size() != 4) {
        return violated(h2_code::frame_size_error);
    }
    if (is_idle(what.stream)) {
        return violated(h2_code::protocol_error);
    }
    stream_slot* const slot = streams_.find(what.stream);
    if (slot == nullptr) {
        return true;
    }
    const auto code = static_cast<h2_code>(read_u32(what.payload));
    if (slot->waiting) {
        if (code == h2_code::refused_stream) {
            refusing_since_ = refusing_since_.value_or(now_);
        } else {
            ++resets_in_a_row_;
        }
        const close_reason reason = to_close_reason(code);
        // Who has begun to answer has looked at the request, whatever it says now.
        fail(*slot, slot->received != nullptr ? failure::unknown : reason.why, reason.detail);
    }
    close(*slot);
    return true;
}

bool session::receive_settings(const frame& what) {
    if (what.stream != 0) {
        return violated(h2_code::protocol_error);
    }
    if (what.has(frame_flag::ack)) {
        return what.payload.empty() || violated(h2_code::frame_size_error);
    }
    if (what.payload.size() % setting_size != 0) {
        return violated(h2_code::frame_size_error);
    }
    for (std::size_t at = 0; at < what.payload.size(); at += setting_size) {
        const auto which = static_cast<setting>(read_u16(what.payload, at));
        if (!apply_setting(which, read_u32(what.payload, at + 2))) {
            return false;
        }
    }
    settings_received_ = true;
    write_frame(frame_type::settings, frame_flag::ack, 0, {});
    write_blocked_bodies();
    return count_reply();
}

bool session::apply_setting(setting which, std::uint32_t value) {
    switch (which) {
        case setting::header_table_size: encoder_.set_table_limit(value); return true;
        case setting::enable_push: return value == 0 || violated(h2_code::protocol_error);
        case setting::max_concurrent_streams:
            limit_changed_at_ = value == peer_limit_ ? limit_changed_at_ : now_;
            peer_limit_ = value;
            return true;
        case setting::initial_window_size:
            if (value > largest_window) {
                return violated(h2_code::flow_control_error);
            }
            initial_window_ = value;
            return true;
        case setting::max_frame_size: {
            constexpr std::uint32_t largest = (1U << 24U) - 1;
            return (value >= largest_frame && value <= largest) || violated(h2_code::protocol_error);
        }
        case setting::max_header_list_size: peer_header_list_ = value; return true;
    }
    return true;  // Settings that we do not know are ignored (section 6.5.2).
}

bool session::receive_ping(const frame& what) {
    if (what.stream != 0) {
        return violated(h2_code::protocol_error);
    }
    if (what.payload.size() != ping_size) {
        return violated(h2_code::frame_size_error);
    }
    if (what.has(frame_flag::ack)) {
        ping_pending_ = false;
        return true;
    }
    write_frame(frame_type::ping, frame_flag::ack, 0, what.payload);
    return count_reply();
}

bool session::receive_goaway(const frame& what) {
    if (what.stream != 0) {
        return violated(h2_code::protocol_error);
    }
    if (what.payload.size() < smallest_goaway) {
        return violated(h2_code::frame_size_error);
    }
    // It may sink with a second GOAWAY, and never rise: what was above it is on its way elsewhere.
    last_processed_ = std::min(last_processed_, read_u31(what.payload));
    const auto code = static_cast<h2_code>(read_u32(what.payload, 4));
    over_ = true;
    stop_accepting(
        code == h2_code::enhance_your_calm ? http2_errc::enhance_your_calm : http2_errc::going_away);
    events_.on_going_away(code, what.payload.substr(smallest_goaway));

    // A last stream below one that was answered is no promise to rely on: some peers always say 0.
    const failure why = last_processed_ < highest_heard_ ? failure::unknown : failure::not_processed;
    for (stream_slot* slot = order_.oldest(); slot != nullptr;) {
        stream_slot* const next = slot->newer;
        if (slot->id > last_processed_) {
            fail(*slot, why, http2_errc::going_away);
            close(*slot);
        }
        slot = next;
    }
    std::vector<stream_slot*> given_up;  // Nobody waits for these any more, the peer will not answer either.
    streams_.for_each([&](stream_slot& each) {
        if (each.id > last_processed_) {
            given_up.push_back(&each);
        }
    });
    for (stream_slot* const slot : given_up) {
        close(*slot);
    }
    return count_reply();  // None is written, but each is told to the log.
}

bool session::receive_window_update(const frame& what) {
    if (what.payload.size() != 4) {
        return violated(h2_code::frame_size_error);
    }
    const std::uint32_t increment = read_u31(what.payload);
    if (what.stream == 0) {
        window_ += increment;
        if (increment == 0 || window_ > largest_window) {
            return violated(increment == 0 ? h2_code::protocol_error : h2_code::flow_control_error);
        }
    } else if (is_idle(what.stream)) {
        return violated(h2_code::protocol_error);
    } else if (stream_slot* const slot = streams_.find(what.stream)) {
        slot->granted += increment;
        if (increment == 0 || window_of(*slot) > largest_window) {
            abandon(
                *slot, increment == 0 ? h2_code::protocol_error : h2_code::flow_control_error,
                http2_errc::stream_reset);
            return count_reply();
        }
    }
    write_blocked_bodies();
    return true;
}

}  // namespace tocsin::http2
