#include "providers/http2/session.hpp"

#include <algorithm>
#include <cstring>

// What a session writes: frames into output_, in the order in which they are to reach the peer.

namespace tocsin::http2 {
namespace {

constexpr std::size_t setting_size = 6;
constexpr std::size_t goaway_size = 8;
constexpr std::size_t ping_size = 8;

}  // namespace

void session::write_preface() {
    output_.append(client_preface);
    std::array<char, setting_size> no_push{};
    write_u16(no_push.data(), static_cast<std::uint32_t>(setting::enable_push));
    write_u32(no_push.data() + 2, 0);
    write_frame(frame_type::settings, frame_flag::none, 0, {no_push.data(), no_push.size()});
    write_window_update(0, receive_window - default_window);
}

void session::write_frame(
    frame_type type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
    write_frame_head(output_.room(frame_head_size), payload.size(), type, flags, stream);
    output_.advance(frame_head_size);
    output_.append(payload);
}

/// Why the header block is not one frame, or none that the peer takes.
error_code session::misfit(const request& what) const noexcept {
    constexpr std::size_t overhead = 32;  // Of each field, as the peer counts (section 6.5.2).
    const std::size_t bytes = what.field_bytes();
    if (hpack_encoder::bound(what.field_count, bytes) > largest_frame) {
        return http2_errc::not_sent;
    }
    return bytes + overhead * what.field_count > peer_header_list_ ? http2_errc::header_too_large
                                                                   : error_code();
}

void session::write_request(stream_slot& slot, const request& what) {
    const bool has_body = what.body_size() != 0;
    const std::size_t start = output_.size();
    slot.begins_at = produced_ + start;
    static_cast<void>(output_.room(frame_head_size));
    output_.advance(frame_head_size);
    encoder_.encode(what, output_);
    write_frame_head(
        output_.at(start), output_.size() - start - frame_head_size, frame_type::headers,
        has_body ? frame_flag::end_headers : frame_flag::end_headers | frame_flag::end_stream, slot.id);
    if (has_body) {
        slot.body = what.body;
        slot.body_sent = write_body(slot);
        if (!slot.body_sent) {
            blocked_.push_back(&slot);
        }
    }
}

/// As much of the body as the windows allow; true if that is all of it.
bool session::write_body(stream_slot& slot) {
    std::size_t rest = 0;
    for (const std::string_view part : slot.body) {
        rest += part.size();
    }
    while (rest != 0) {
        const std::int64_t window = std::min(window_, window_of(slot));
        if (window <= 0) {
            return false;
        }
        std::size_t count = std::min({rest, static_cast<std::size_t>(window), largest_frame});
        rest -= count;
        window_ -= static_cast<std::int64_t>(count);
        slot.sent += static_cast<std::int64_t>(count);
        char* to = output_.room(frame_head_size + count);
        const std::uint8_t flags = rest == 0 ? frame_flag::end_stream : frame_flag::none;
        write_frame_head(to, count, frame_type::data, flags, slot.id);
        output_.advance(frame_head_size + count);
        to += frame_head_size;
        for (std::string_view& part : slot.body) {
            const std::size_t taken = std::min(part.size(), count);
            if (taken != 0) {
                std::memcpy(to, part.data(), taken);
            }
            part.remove_prefix(taken);
            to += taken;
            count -= taken;
        }
    }
    return true;
}

void session::write_blocked_bodies() {
    if (blocked_.empty()) {
        return;
    }
    std::erase_if(blocked_, [this](stream_slot* slot) { return slot->body_sent = write_body(*slot); });
}

void session::write_reset(std::uint32_t stream, h2_code code) {
    std::array<char, 4> payload{};
    write_u32(payload.data(), static_cast<std::uint32_t>(code));
    write_frame(frame_type::rst_stream, frame_flag::none, stream, {payload.data(), payload.size()});
}

void session::write_window_update(std::uint32_t stream, std::uint32_t increment) {
    std::array<char, 4> payload{};
    write_u32(payload.data(), increment);
    write_frame(frame_type::window_update, frame_flag::none, stream, {payload.data(), payload.size()});
}

void session::write_goaway(h2_code code) {
    std::array<char, goaway_size> payload{};  // Last stream 0: the peer never opened one.
    write_u32(payload.data() + 4, static_cast<std::uint32_t>(code));
    write_frame(frame_type::goaway, frame_flag::none, 0, {payload.data(), payload.size()});
    over_ = true;
}

void session::ping() {
    if (!ping_pending_ && !broken_) {
        constexpr std::array<char, ping_size> payload{};
        write_frame(frame_type::ping, frame_flag::none, 0, {payload.data(), payload.size()});
        ping_pending_ = true;
    }
}

void session::say_goodbye() {
    if (!broken_) {
        stop_accepting(http2_errc::closed_here);
        write_goaway(h2_code::no_error);
    }
}

}  // namespace tocsin::http2
