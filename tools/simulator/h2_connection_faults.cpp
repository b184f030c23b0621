// What is done to a connection on demand: the other half of h2_connection.cpp.

#include "tools/simulator/h2_connection.hpp"

#include <string>

namespace tocsin::sim {
namespace {

constexpr auto second_goaway_after = std::chrono::milliseconds(50);
constexpr std::chrono::milliseconds default_time{60'000};

std::chrono::milliseconds time_of(const action& wanted) noexcept {
    return wanted.for_ms == 0 ? default_time : std::chrono::milliseconds(wanted.for_ms);
}

}  // namespace

void h2_connection::go_away(std::int32_t last, std::uint32_t code, std::string_view debug) {
    // What is promised unprocessed must not stay counted.
    session_->for_each_open([&](request& asked) {
        if (asked.stream > last && asked.decided && !asked.answered) {
            host_.decides.take_back(asked);
            asked.decided = false;
        }
    });
    delays_.remove_above(last);
    session_->go_away(last, code, debug);
    host_.counters.add(tally::goaways);
    phase_ = phase::draining;
}

void h2_connection::drain_in_two_steps(const action& wanted) {
    constexpr std::int32_t all = 0x7FFFFFFF;
    const std::string debug = wanted.debug.empty() ? std::string(host_.restart_words()) : wanted.debug;
    session_->go_away(all, wanted.code, debug);
    host_.counters.add(tally::goaways);
    end_timer_.expires_after(second_goaway_after);
    end_timer_.async_wait([self = shared_from_this(), code = wanted.code, debug](const error_code& ec) {
        if (!ec && self->phase_ == phase::serving) {
            self->go_away(self->session_->last_processed(), code, debug);
            self->flush();
        }
    });
}

void h2_connection::perform(const action& wanted) {
    const bool elsewhere = wanted.where && *wanted.where != host_.which;
    if (phase_ != phase::serving || frozen_ || !session_ || elsewhere ||
        (wanted.share < 1 && !chance_.hit(wanted.share))) {
        return;
    }
    const std::string_view debug = wanted.debug.empty() ? host_.restart_words() : wanted.debug;
    switch (wanted.what) {
        case action::kind::close:
            host_.counters.add(tally::cuts);
            cut();
            return;
        case action::kind::revoke_tokens: return;
        case action::kind::freeze: freeze(wanted); return;
        case action::kind::wedge:
            host_.counters.add(tally::wedged);
            talk_->wedge_connection();
            return;
        case action::kind::stall_windows: stall(wanted); return;
        case action::kind::goaway_graceful: drain_in_two_steps(wanted); break;
        case action::kind::goaway_zero:
            flush();  // Answers that are ready were processed before.
            go_away(0, wanted.code, debug);
            break;
        case action::kind::goaway_middle:
            flush();
            go_away(delays_.median_stream().value_or(session_->last_processed()), wanted.code, debug);
            break;
        case action::kind::settings: change_settings(wanted); break;
    }
    flush();
}

void h2_connection::later(duration wait, void (h2_connection::*what)()) {
    const auto timer = pending_.emplace(pending_.end(), socket_.get_executor(), wait);
    timer->async_wait([self = shared_from_this(), timer, what](const error_code& ec) {
        self->pending_.erase(timer);
        if (!ec && self->phase_ != phase::closed) {
            (self.get()->*what)();
        }
    });
}

void h2_connection::change_settings(const action& wanted) {
    host_.counters.add(tally::settings_changes);
    if (wanted.max_concurrent_streams) {
        limit_is_full_ = true;  // What was asked for stays until the next request to change it.
        session_->announce_streams(*wanted.max_concurrent_streams);
    }
    if (wanted.initial_window_size || wanted.header_table_size) {
        session_->announce(wanted.initial_window_size, wanted.header_table_size);
    }
    if (wanted.for_ms != 0) {
        later(time_of(wanted), &h2_connection::restore_settings);
    }
}

void h2_connection::restore_settings() {
    if (phase_ < phase::finishing) {
        const session_settings usual = host_.settings(*talk_);
        limit_is_full_ = usual.streams == host_.full_stream_limit();
        session_->announce_streams(usual.streams);
        session_->announce(usual.initial_window, usual.header_table);
        flush();
    }
}

void h2_connection::stall(const action& wanted) {
    host_.counters.add(tally::window_stalls);
    ++stalls_;
    session_->stall_windows(true);
    later(time_of(wanted), &h2_connection::end_stall);
}

void h2_connection::end_stall() {
    --stalls_;
    behaviour_changed();
}

void h2_connection::freeze(const action& wanted) {
    host_.counters.add(tally::frozen);
    frozen_ = true;
    later(time_of(wanted), &h2_connection::cut);
}

void h2_connection::behaviour_changed() {
    if (session_ && phase_ < phase::finishing) {
        session_->stall_windows(rules().transport.stall_windows || stalls_ > 0);
        flush();
    }
}

}  // namespace tocsin::sim
