#include "tools/simulator/h2_session.hpp"

#include <algorithm>
#include <array>

namespace tocsin::sim {
namespace {

nghttp2_nv field(std::string_view name, std::string_view value, bool index = true) noexcept {
    // HPACK does not write through these.
    auto* name_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
    auto* value_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
    const auto flags = static_cast<std::uint8_t>(index ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX);
    return {name_bytes, value_bytes, name.size(), value.size(), flags};
}

/// True if the frame is the last of an answer.
bool ends_answer(const frame_head& head) noexcept {
    return head.type == NGHTTP2_RST_STREAM ||
           ((head.type == NGHTTP2_HEADERS || head.type == NGHTTP2_DATA) && head.has(NGHTTP2_FLAG_END_STREAM));
}

}  // namespace

h2_session::h2_session(const session_settings& settings, request_pool& pool, session_events& events)
    : pool_(pool),
      events_(events),
      preface_(NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN),
      limit_(settings.streams) {
    nghttp2_hd_deflater* raw = nullptr;
    nghttp2_hd_deflate_new(&raw, NGHTTP2_DEFAULT_HEADER_TABLE_SIZE);
    deflater_.reset(raw);
    append_settings(
        {settings.streams, settings.initial_window, settings.header_table}, settings.max_header_list);
    if (settings.connection_window > 65'535) {
        append_window_update(0, settings.connection_window - 65'535);
        connection_window_ = receive_window_ = settings.connection_window;
    }
}

h2_session::~h2_session() {
    while (open_ != nullptr) {
        close(*open_);
    }
}

// ---- Streams

request* h2_session::find(std::int32_t stream) const noexcept {
    if (reading_ != nullptr && reading_->stream == stream) {
        return reading_;
    }
    return streams_.find(stream);
}

request& h2_session::begin(std::int32_t stream) {
    request* asked = pool_.take().release();
    asked->stream = stream;
    asked->receive_window = stream_window_;
    asked->send_window = peer_initial_window_;
    asked->next = open_;
    if (open_ != nullptr) {
        open_->previous = asked;
    }
    open_ = reading_ = asked;
    streams_.add(*asked);
    highest_ = stream;
    ++active_;
    if (stream > ignore_above_) {
        asked->ignored = true;
    } else if (active_ > highest_limit()) {
        asked->ignored = true;
        events_.on_limit_violated();
    } else if (active_ > newest_limit()) {
        reset(*asked, NGHTTP2_REFUSED_STREAM);
        events_.on_refused();
    }
    return *asked;
}

void h2_session::end_request(request& asked) {
    asked.ended = true;
    if (asked.content_length && *asked.content_length != asked.arrived) {
        fail_stream(asked, NGHTTP2_PROTOCOL_ERROR);
    } else if (!asked.ignored) {
        last_processed_ = std::max(last_processed_, asked.stream);
        events_.on_request(asked);
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
    streams_.remove(ended);
    --active_;
    pool_.put(std::unique_ptr<request>(&ended));
}

std::uint32_t h2_session::newest_limit() const noexcept {
    return unacknowledged_.empty() ? acknowledged_ : unacknowledged_.back().streams;
}

std::uint32_t h2_session::highest_limit() const noexcept {
    std::uint32_t highest = acknowledged_;
    for (const announcement& one : unacknowledged_) {
        highest = std::max(highest, one.streams);
    }
    return highest;
}

// ---- Output

void h2_session::respond(request& asked) {
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
    std::array<std::uint8_t, 1024> block;
    const ssize_t size =
        nghttp2_hd_deflate_hd(deflater_.get(), block.data(), block.size(), fields.data(), count);
    const bool bare = asked.reply.empty();
    append_head(
        output_, static_cast<std::size_t>(size), NGHTTP2_HEADERS,
        static_cast<unsigned>(NGHTTP2_FLAG_END_HEADERS) |
            static_cast<unsigned>(bare ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE),
        asked.stream);
    output_.append(reinterpret_cast<const char*>(block.data()), static_cast<std::size_t>(size));
    asked.answered = true;
    if (bare) {
        finish(asked);
    } else if (!send_body(asked)) {
        blocked_.push_back(&asked);
    }
}

/// Frames what the windows allow of a body; true if that is all of it.
bool h2_session::send_body(request& asked) {
    while (asked.replied < asked.reply.size()) {
        const auto window = std::max(std::int64_t{0}, std::min(send_window_, asked.send_window));
        std::size_t count =
            std::min({asked.reply.size() - asked.replied, largest_frame, static_cast<std::size_t>(window)});
        if (asked.piece != 0) {
            count = std::min(count, asked.piece);
        }
        if (count == 0) {
            return false;
        }
        const bool last = asked.replied + count == asked.reply.size();
        append_head(
            output_, count, NGHTTP2_DATA, last ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE, asked.stream);
        output_.append(asked.reply.substr(asked.replied, count));
        asked.replied += count;
        send_window_ -= static_cast<std::int64_t>(count);
        asked.send_window -= static_cast<std::int64_t>(count);
    }
    finish(asked);
    return true;
}

void h2_session::send_blocked() {
    std::erase_if(blocked_, [this](request* asked) { return send_body(*asked); });
}

void h2_session::finish(request& asked) {
    asked.finished = true;
    finished_.push_back(&asked);
}

void h2_session::reset(request& asked, std::uint32_t code) {
    asked.ignored = true;
    if (asked.finished) {
        return;
    }
    append_head(output_, 4, NGHTTP2_RST_STREAM, NGHTTP2_FLAG_NONE, asked.stream);
    append_number(output_, code);
    std::erase(blocked_, &asked);
    finish(asked);
}

void h2_session::announce_streams(std::uint32_t limit) {
    limit_ = limit;
    append_settings({limit, std::nullopt, std::nullopt}, std::nullopt);
}

void h2_session::announce(
    std::optional<std::uint32_t> initial_window, std::optional<std::uint32_t> header_table) {
    append_settings({limit_, initial_window, header_table}, std::nullopt);
}

void h2_session::append_settings(const announcement& what, std::optional<std::uint32_t> max_header_list) {
    std::string entries;
    const auto append = [&entries](nghttp2_settings_id id, std::optional<std::uint32_t> value) {
        if (value) {
            entries += '\0';
            entries += static_cast<char>(id);
            append_number(entries, *value);
        }
    };
    append(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, what.header_table);
    append(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, what.initial_window);
    append(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, max_header_list);
    append(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, what.streams);
    append_head(output_, entries.size(), NGHTTP2_SETTINGS, NGHTTP2_FLAG_NONE, 0);
    output_ += entries;
    unacknowledged_.push_back(what);
}

void h2_session::append_window_update(std::int32_t stream, std::size_t size) {
    append_head(output_, 4, NGHTTP2_WINDOW_UPDATE, NGHTTP2_FLAG_NONE, stream);
    append_number(output_, static_cast<std::uint32_t>(size));
}

void h2_session::go_away(std::int32_t last, std::uint32_t code, std::string_view debug) {
    append_head(output_, 8 + debug.size(), NGHTTP2_GOAWAY, NGHTTP2_FLAG_NONE, 0);
    append_number(output_, static_cast<std::uint32_t>(last));
    append_number(output_, code);
    output_ += debug;
    ignore_above_ = std::min(ignore_above_, last);
    for_each_open([last](request& asked) { asked.ignored = asked.ignored || asked.stream > last; });
}

std::string_view h2_session::take_output(bool one_answer) noexcept {
    for (request* done : finished_) {
        close(*done);
    }
    finished_.clear();
    if (taken_ == output_.size()) {
        output_.clear();
        taken_ = 0;
        return {};
    }
    const std::size_t from = taken_;
    taken_ = output_.size();
    if (one_answer) {
        for (std::size_t at = from; at < output_.size();) {
            const frame_head head = read_head(output_.data() + at);
            at += frame_head::bytes + head.size;
            if (ends_answer(head)) {
                taken_ = at;
                break;
            }
        }
    }
    return std::string_view(output_).substr(from, taken_ - from);
}

}  // namespace tocsin::sim
