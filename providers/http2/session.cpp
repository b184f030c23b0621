#include "providers/http2/session.hpp"

#include <algorithm>
#include <utility>

// The lives of requests and their streams. What is written: session_output.cpp; what is read:
// session_input.cpp.

namespace tocsin::http2 {
namespace {

// With a smaller stream window than this bodies go out in crumbs, each after a word of the peer: one at a
// time.
constexpr std::size_t smallest_useful_window = 1024;
// To begin with: hundreds of apps may have connections of their own that never send much.
constexpr std::size_t output_room = std::size_t{4} * 1024;

}  // namespace

session::session(const session_options& options, session_events& events)
    : options_(options), events_(events), output_(output_room), next_id_(options.first_stream_id) {
    write_preface();
}

std::size_t session::credit() const noexcept {
    const std::size_t limit = stream_limit();
    const std::size_t open = streams_.size();
    const auto window = static_cast<std::size_t>(std::max<std::int64_t>(0, window_));
    if (!settings_received_ || !accepting() || open >= limit || window < largest_body_ ||
        initial_window_ == 0) {
        return 0;
    }
    if (initial_window_ < smallest_useful_window) {
        return open == 0 ? 1 : 0;
    }
    return std::min(limit - open, window / last_body_);
}

error_code session::submit(client& who, const request& what, time_point now) {
    if (!accepting()) {
        return ending_;
    }
    if (!settings_received_ || streams_.size() >= stream_limit()) {
        return http2_errc::no_free_stream;
    }
    if (const error_code too_large = misfit(what)) {
        failed_request failed;
        failed.context = what.context;
        failed.why = failure::not_processed;
        failed.detail = too_large;
        failed.connection = options_.connection;
        events_.on_failure(who, failed);
        return {};
    }
    stream_slot& slot = slots_.take();
    slot.who = &who;
    slot.context = what.context;
    slot.submitted_at = now;
    slot.id = next_id_;
    next_id_ += 2;
    frames_allowed_ = std::min(frames_allowed_ + frames_a_request, most_frames_allowed);
    streams_.add(slot);
    order_.push_back(slot);
    write_request(slot, what);
    if (const std::size_t size = what.body_size(); size != 0) {
        last_body_ = size;
        largest_body_ = std::max(largest_body_, size);
    }
    if (next_id_ > largest_window) {  // Ids and windows end at the same number.
        stop_accepting(http2_errc::ids_exhausted);
    }
    return {};
}

std::size_t session::expire(time_point now) {
    std::size_t expired = 0;
    for (stream_slot* slot = order_.oldest();
         slot != nullptr && slot->submitted_at + options_.request_timeout <= now; slot = order_.oldest()) {
        ++expired;
        ++timeouts_in_a_row_;
        fail(*slot, failure::timed_out, http2_errc::deadline_exceeded);
        // The rest of a body goes away with its owner: such a stream cannot be left as it is.
        if (timeouts_in_a_row_ <= timeouts_to_retire || !slot->body_sent) {
            write_reset(slot->id, h2_code::cancel);
            close(*slot);
        }
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
            if (!slot->body_sent) {  // The rest of the body goes away with its owner.
                order_.remove(*slot);
                write_reset(slot->id, h2_code::cancel);
                close(*slot);
            }
        }
        slot = next;
    }
}

void session::fail_all(error_code detail) noexcept {
    stop_accepting(detail);
    broken_ = true;
    while (stream_slot* slot = order_.oldest()) {
        const bool written = slot->written_at != time_point{};
        fail(*slot, written ? failure::unknown : failure::not_processed, detail);
    }
}

bool session::alive() const noexcept {
    return !broken_ && !(over_ && streams_.empty());
}

void session::stop_accepting(error_code why) noexcept {
    if (!going_away_) {
        going_away_ = true;
        ending_ = why;
    }
}

answer& session::answer_of(stream_slot& slot) {
    if (slot.received == nullptr) {
        if (unused_.empty()) {
            slot.received = std::make_unique<answer>();
        } else {
            slot.received = std::move(unused_.back());
            unused_.pop_back();
        }
    }
    return *slot.received;
}

/// The peer has ended the stream: its answer is complete, or none.
void session::complete(stream_slot& slot) {
    answer& said = answer_of(slot);
    said.end();
    if (said.malformed()) {
        if (slot.waiting) {
            fail(slot, failure::unknown, http2_errc::malformed_answer);
        }
        end(slot);
        return;
    }
    timeouts_in_a_row_ = 0;
    resets_in_a_row_ = 0;
    refusing_since_.reset();
    if (slot.waiting) {
        order_.remove(slot);
        if (slot.who != nullptr) {
            response out;
            out.context = slot.context;
            said.put_into(out);
            out.connection = options_.connection;
            out.written_at = slot.written_at;
            out.answered_at = now_;
            events_.on_answer(*std::exchange(slot.who, nullptr), out);
        }
    }
    end(slot);
}

/// The peer has said all: the stream is closed, unless it would still have to read the rest of the body.
void session::end(stream_slot& slot) noexcept {
    if (!slot.body_sent) {
        write_reset(slot.id, h2_code::cancel);  // It has decided without it.
    }
    close(slot);
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

void session::abandon(stream_slot& slot, h2_code code, error_code detail) {
    write_reset(slot.id, code);
    if (slot.waiting) {
        fail(slot, failure::unknown, detail);
    }
    close(slot);
}

void session::close(stream_slot& slot) noexcept {
    if (!slot.body_sent) {
        std::erase(blocked_, &slot);
    }
    if (slot.received != nullptr) {
        slot.received->clear();
        unused_.push_back(std::move(slot.received));
    }
    streams_.remove(slot);
    slots_.give_back(slot);
}

}  // namespace tocsin::http2
