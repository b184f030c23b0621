#include "providers/webpush/line.hpp"

#include "engine/delivery/service_proof.hpp"
#include "engine/event/subscription.hpp"
#include "providers/common/no_answer.hpp"
#include "providers/common/web_page.hpp"
#include "providers/http2/error.hpp"

#include <algorithm>
#include <charconv>
#include <exception>
#include <utility>

namespace tocsin::webpush {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// What a full line gives back comes again after this.
constexpr milliseconds full_pause = 5s;
// What would have met the same refusal comes again after this, if the source lets it.
constexpr milliseconds denied_pause = 1s;
// A name that leads to where nothing may be sent is asked for again after this.
constexpr auto forbidden_for = 60s;
// Requests that a service may leave unanswered before it is thought to be stuck.
constexpr std::size_t unanswered_to_doubt = 200;
// What one thread encrypts in a second, and some room: connections for more would stand idle.
constexpr std::size_t encrypted_per_second = 25'000;

/// Nothing that one device or one message brings about. Whoever shows a page is not even the service.
bool is_broken(const verdict& what) noexcept {
    constexpr std::uint16_t server_error = 500;
    return what.status >= server_error || what.reason == web_page_word;
}

}  // namespace

line::line(const line_wiring& wiring, http2::pool& through, std::string origin, std::string authority)
    : wiring_(wiring), pool_(through), origin_(std::move(origin)), authority_(std::move(authority)) {}

void line::add(push& item, bool urgent, time_point now) noexcept {
    if (now < forbidden_until_) {
        refuse(item, forbidden_because_, now);
        return;
    }
    if (const milliseconds wait = state_.wait(now); wait > 0ms) {
        postpone(item, wait, state_.reachable() ? service_left_alone : service_unreachable, now);
        if (!state_.reachable()) {
            wake();  // So that the pool goes on trying.
        }
        return;
    }
    if (waiting() >= most_waiting) {
        postpone(item, full_pause, service_busy, now);
        return;
    }
    if (waiting() == 0) {
        moved_at_ = std::max(moved_at_, now);
    }
    (urgent ? urgent_ : others_).push_back(item);
    wake();
}

void line::look(time_point now) noexcept {
    if (waiting() == 0) {
        return;
    }
    if (now - moved_at_ > service_state::patience) {
        state_.lost(now);
        give_back(state_.wait(now), service_unreachable, now);
    }
    wake();
}

bool line::may_send(time_point now) const noexcept {
    // Nor does it get more while it takes so long for each: it would answer the last of them too late.
    const bool stuck = in_flight_ >= unanswered_to_doubt && (now - answered_at_ > service_state::patience ||
                                                             answer_time_ > service_state::patience);
    return !stuck && in_flight_ < state_.most_in_flight();
}

std::size_t line::backlog(duration within) const noexcept {
    const time_point now = wiring_.time.now();
    if (now < forbidden_until_ || (state_.reachable() && state_.wait(now) > 0ms)) {
        return 0;
    }
    const auto affordable =
        static_cast<std::size_t>(encrypted_per_second * std::chrono::duration<double>(within).count());
    const std::size_t all = std::min(waiting() + wiring_.owner.coming(*this, within), affordable);
    // One finds out whether the service works again: no more are of use before.
    return state_.reachable() && !state_.probing() ? all : std::min<std::size_t>(all, 1);
}

/// What to send next; what is not to be sent any more goes back on the way.
push* line::next(time_point now) noexcept {
    for (;;) {
        push* item = urgent_.pop_front();
        item = item == nullptr ? others_.pop_front() : item;
        if (item == nullptr) {
            return nullptr;
        }
        if (wiring_.source.wanted(*item, now)) {
            return item;
        }
        verdict what;
        what.action = reaction::resend;
        wiring_.source.settle(*item, what, now);
    }
}

bool line::next_request(std::uint64_t, time_point now, http2::request& out) noexcept {
    if (!may_send(now)) {
        full_ = true;
        return false;
    }
    state_.found(now);  // Else no connection would ask.
    if (state_.wait(now) > 0ms) {
        return false;
    }
    // Whatever waits here, what is critical comes before it.
    if (waiting() == 0 || (urgent_.empty() && wiring_.source.urgent())) {
        wiring_.owner.refill(*this, now);
    }
    if (waiting() == 0 || !wiring_.owner.may_encrypt(*this)) {
        return false;
    }
    push* const item = next(now);
    if (item == nullptr) {
        return false;
    }
    if (!fill(*item, now, out)) {
        wake();  // There may be others, and a client that says no is not asked again.
        return false;
    }
    return true;
}

void line::wake() noexcept {
    try {
        pool_.wake(*this);
    } catch (const std::exception&) {
        // Out of memory for a handler: the next push, or the next look, wakes it.
    }
}

/// The request for `item`; false if there can be none, and then it has been settled.
bool line::fill(push& item, time_point now, http2::request& out) noexcept {
    if (now != looked_at_) {
        looked_at_ = now;
        wall_then_ = wiring_.time.wall_now();
    }
    const vapid_header* const token = authorization(now);
    sent_message* const sent = token == nullptr ? nullptr : wiring_.bodies.take();
    if (sent == nullptr) {
        postpone(item, full_pause, service_busy, now);
        return false;
    }
    const auto& content = static_cast<const rendered_message&>(*item.content);
    const auto size = wiring_.cipher.encrypt(item.keys, content.text(item.variant), sent->body);
    const auto parts = split_endpoint(item.token);
    if (!size || !parts) {
        wiring_.bodies.give_back(*sent);
        refuse(item, damaged_keys, now);
        return false;
    }
    sent->item = &item;
    sent->size = *size;
    sent->token_issued_at = token->issued_at;
    const auto ttl = std::to_chars(ttl_.data(), ttl_.data() + ttl_.size(), content.ttl(wall_then_).count());
    out.add(":method", "POST");
    out.add(":scheme", "https");
    out.add(":authority", authority_);
    out.add(":path", parts->path, http2::indexing::never);
    out.add("authorization", token->value);
    out.add("content-encoding", "aes128gcm");
    out.add("content-type", "application/octet-stream");
    out.add("urgency", content.urgency());
    out.add("topic", content.topic());
    out.add("ttl", {ttl_.data(), static_cast<std::size_t>(ttl.ptr - ttl_.data())}, http2::indexing::never);
    out.body[0] = sent->text();
    out.context = sent;
    answered_at_ = in_flight_ == 0 ? now : answered_at_;
    moved_at_ = now;
    ++in_flight_;
    return true;
}

const vapid_header* line::authorization(time_point) noexcept {
    if (token_ == nullptr || wall_then_ >= token_->renew_at || wall_then_ + 1h < token_->issued_at)
        [[unlikely]] {
        try {
            token_ = wiring_.tokens.get(origin_, wall_then_);
        } catch (const std::exception&) {
            token_ = nullptr;  // Out of memory: the push comes again.
        }
    }
    return token_.get();
}

http2::connection_advice line::on_response(const http2::response& answer) noexcept {
    auto& sent = *static_cast<sent_message*>(answer.context);
    push& item = *sent.item;
    const time_point now = answer.answered_at;
    --in_flight_;
    moved_at_ = now;
    answered_at_ = now;
    item.written_at = answer.written_at;
    note_answer_time(now - answer.written_at);
    webpush::answer said;
    said.status = answer.status;
    said.body = answer.body;
    said.retry_after = answer.retry_after;
    // Each request proves who sends it, so no answer is a reason to leave the connection.
    auto advice = http2::connection_advice::keep;
    if (answer.status == 201 && !is_web_page(answer.body)) [[likely]] {
        verdict what;
        what.action = reaction::accept;
        what.status = 201;
        what.of_one_service = true;
        what.provider_id = answer.provider_id;
        state_.accepted();
        wiring_.health.clear();
        wiring_.counters.count(201, {});
        wiring_.bodies.give_back(sent);
        wiring_.source.settle(item, what, now);
    } else {
        judgement given(said, wiring_.time.wall_now());
        if (is_broken(given.what()) || !shows_service(given.what())) {
            advice = http2::connection_advice::doubt;
        }
        weigh(given, sent, answer);
        wiring_.counters.count(given.what().status, given.what().reason);
        wiring_.bodies.give_back(sent);
        wiring_.source.settle(item, given.what(), now);
    }
    wake_if_held_back();
    return advice;
}

/// What the table cannot know: what was said before, and how old the token is.
void line::weigh(judgement& given, const sent_message& sent, const http2::response& answer) noexcept {
    const verdict& what = given.what();
    const time_point now = answer.answered_at;
    switch (what.action) {
        case reaction::retry_here: weigh_refusal(given.what(), now); break;
        case reaction::pause_app: try { tell(given, sent);
            } catch (const std::exception&) {
                // Out of memory for a sentence: the verdict stands without it.
            }
            if (state_.denied()) {
                give_back(denied_pause, what.reason, now);
            }
            break;
        case reaction::accept:
            wiring_.health.clear();
            state_.accepted();
            break;
        default:
            state_.accepted();  // It works; whatever it said is about the one device.
            break;
    }
}

void line::weigh_refusal(verdict& what, time_point now) noexcept {
    constexpr std::uint16_t throttled = 429;
    const bool broken = is_broken(what);
    if (!broken && what.status != throttled) {
        return;
    }
    const bool left_alone = state_.refused(now, what.retry_after, broken);
    if (state_.probing()) {
        // An outage of the service costs no push one of its tries.
        what.action = reaction::resend;
        what.retry_after = std::max(state_.wait(now), milliseconds(1));
    }
    if (left_alone) {
        wiring_.log.warning(
            "webpush.service_left_alone", {{"origin", origin_},
                                           {"app", wiring_.app},
                                           {"status", what.status},
                                           {"reason", what.reason},
                                           {"ms", state_.wait(now).count()}});
        give_back(state_.wait(now), service_left_alone, now);
    }
}

void line::tell(judgement& given, const sent_message& sent) {
    vapid_header refused;
    refused.issued_at = sent.token_issued_at;
    if (wiring_.tokens.renew_after_refusal(origin_, refused, wiring_.time.wall_now())) {
        token_ = nullptr;
        given.what().action = reaction::refresh_credential;
        return;
    }
    std::string problem(given.row().meaning);
    problem += ' ';
    problem += given.row().remedy;
    if (wiring_.health.report(problem)) {
        wiring_.log.error(
            "webpush.credential_refused", {{"app", wiring_.app},
                                           {"origin", origin_},
                                           {"status", given.what().status},
                                           {"reason", given.what().reason},
                                           {"problem", problem}});
    }
}

void line::on_failure(const http2::failed_request& failed) noexcept {
    auto& sent = *static_cast<sent_message*>(failed.context);
    push& item = *sent.item;
    --in_flight_;
    item.written_at = failed.written_at;
    verdict what = no_answer(failed);
    what.of_one_service = true;
    wiring_.counters.count(0, what.reason);
    wiring_.bodies.give_back(sent);
    const time_point now = wiring_.time.now();
    if (failed.why == http2::failure::timed_out) {
        note_answer_time(now - failed.written_at);
    }
    // A service that leaves everything unanswered is left alone like one that turns everything away.
    const bool left_alone = failed.why == http2::failure::timed_out && state_.refused(now, std::nullopt);
    wiring_.source.settle(item, what, now);
    if (left_alone) {
        give_back(state_.wait(now), service_unreachable, now);
    }
    wake_if_held_back();
}

/// What the channel has for it may not have come here yet.
void line::wake_if_held_back() noexcept {
    if (std::exchange(full_, false) || waiting() != 0) {
        wake();
    }
}

void line::on_dial_failed(const error_code& why) noexcept {
    const time_point now = wiring_.time.now();
    if (why == http2::http2_errc::address_not_allowed) {
        forbidden_because_ = address_not_allowed;
        forbidden_until_ = now + forbidden_for;
        refuse_waiting(address_not_allowed, now);
        return;
    }
    if (in_flight_ != 0) {
        return;  // One more connection was wanted; there are others.
    }
    state_.lost(now);
    if (why == http2::http2_errc::unknown_host) {
        // Charged: a stranger's invention must not keep an event open until it expires.
        while (push* const item = next(now)) {
            verdict what;
            what.action = reaction::retry_here;
            what.reason = unknown_host;
            what.of_one_service = true;
            wiring_.source.settle(*item, what, now);
        }
        return;
    }
    give_back(state_.wait(now), service_unreachable, now);
}

void line::postpone(push& item, milliseconds wait, std::string_view why, time_point now) noexcept {
    verdict what;
    what.action = reaction::resend;
    what.reason = why;
    what.retry_after = std::max(wait, milliseconds(1));
    what.told = why == service_left_alone;
    what.of_one_service = true;
    wiring_.source.settle(item, what, now);
}

void line::refuse(push& item, std::string_view why, time_point now) noexcept {
    verdict what;
    what.action = reaction::reject_push;
    what.reason = why;
    what.of_one_service = true;
    wiring_.source.settle(item, what, now);
}

void line::give_back(milliseconds wait, std::string_view why, time_point now) noexcept {
    while (push* const item = next(now)) {
        postpone(*item, wait, why, now);
    }
}

void line::refuse_waiting(std::string_view why, time_point now) noexcept {
    while (push* const item = next(now)) {
        refuse(*item, why, now);
    }
}

}  // namespace tocsin::webpush
