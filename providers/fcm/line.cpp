#include "providers/fcm/line.hpp"

#include "engine/delivery/service_proof.hpp"
#include "providers/common/no_answer.hpp"
#include "providers/common/retry_after.hpp"
#include "providers/common/web_page.hpp"
#include "providers/fcm/message.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace tocsin::fcm {
namespace {

using namespace std::chrono_literals;

// More than this many quota answers a second that do not say whose quota, on one thread: it is the
// project's.
constexpr std::size_t quota_answers_of_devices = 10;
constexpr std::chrono::milliseconds quota_pause = 60s;
constexpr std::chrono::milliseconds least_pause = 10s;  // Google: between two tries of anything.
constexpr std::chrono::milliseconds longest_told_pause = 10min;

}  // namespace

line::line(line_wiring wiring) : wiring_(std::move(wiring)) {}

bool line::urgent() const noexcept {
    return wiring_.source.urgent();
}

std::size_t line::backlog(duration within) const noexcept {
    const std::size_t all = wiring_.source.backlog(within);
    // One finds out whether the host works again: no more are of use before.
    return wiring_.host.in_trouble() ? std::min<std::size_t>(all, 1) : all;
}

bool line::next_request(std::uint64_t, time_point now, http2::request& out) noexcept {
    const issued_token* const token = token_.get(wiring_.token);
    if (token == nullptr) {
        return false;
    }
    if (wiring_.host.in_trouble() && now < wiring_.host.next_try()) [[unlikely]] {
        wiring_.held(wiring_.host.next_try());
        return false;
    }
    push* const item = wiring_.source.take(now);
    if (item == nullptr) {
        return false;
    }
    // Asked for only now that there is something to send: a probe that is not sent would delay the next.
    // Another thread may have been faster; then there are two probes, and no harm.
    static_cast<void>(wiring_.host.may_send(now));
    const auto& content = static_cast<const rendered_message&>(*item->content);
    out.add(":method", "POST");
    out.add(":scheme", "https");
    out.add(":authority", wiring_.authority);
    out.add(":path", wiring_.path);
    out.add("authorization", token->authorization);
    out.add("content-type", "application/json");
    out.body[0] = rendered_message::beginning(item->is_fid);
    out.body[1] = item->token;
    if (now != looked_at_) {
        looked_at_ = now;
        wall_then_ = wiring_.time.wall_now();
    }
    std::ranges::copy(content.after_token(item->variant, wall_then_), out.body.begin() + 2);
    out.context = item;
    ++in_flight_;
    return true;
}

http2::connection_advice line::on_response(const http2::response& answer) noexcept {
    auto& item = *static_cast<push*>(answer.context);
    const auto& content = static_cast<const rendered_message&>(*item.content);
    --in_flight_;
    item.written_at = answer.written_at;
    if (answer.status == 200 && !is_web_page(answer.body)) [[likely]] {
        wiring_.counters.accepted();
        wiring_.health.clear();
        wiring_.project.note_accepted(answer.answered_at);
        content.note_accepted();
        if (wiring_.apple.accepted(item.token, answer.written_at)) [[unlikely]] {
            wiring_.log.info("fcm.apple_credential_works_again", {{"app", wiring_.app}});
        }
        verdict what;
        weigh_load(false, answer);
        what.action = reaction::accept;
        what.status = 200;
        what.provider_id = message_name(answer.body);
        wiring_.source.settle(item, what, answer.answered_at);
        return http2::connection_advice::keep;
    }
    fcm::answer said;
    said.status = answer.status;
    said.body = answer.body;
    said.retry_after = answer.retry_after;
    surroundings around;
    around.project_works = wiring_.project.works(answer.answered_at);
    around.message_accepted = content.accepted();
    judgement given(said, around, item.attempts, wiring_.time.wall_now());
    weigh(given, item, answer);
    weigh_load(given.why() == cause::unavailable, answer);
    wiring_.counters.count(given.what().status, given.what().reason);
    wiring_.source.settle(item, given.what(), answer.answered_at);
    // FCM authenticates each request, so no answer is a reason to leave the connection.
    const bool in_googles_words = given.why() != cause::unknown;
    return in_googles_words && shows_service(given.what()) ? http2::connection_advice::keep
                                                           : http2::connection_advice::doubt;
}

void line::weigh(judgement& given, const push& item, const http2::response& answer) noexcept {
    if (given.why() == cause::unclear_quota) {
        weigh_quota(given, answer.answered_at);
    }
    try {
        tell(given, item, answer);
    } catch (const std::exception&) {
        // Out of memory for a sentence: the verdict stands without it.
    }
}

void line::weigh_load(bool turned_away, const http2::response& answer) noexcept {
    const bool too_many = load_.note(turned_away, answer.answered_at);
    if (!turned_away) {
        if (wiring_.host.works(answer.written_at)) {
            wiring_.log.info("fcm.host_works_again", {{"host", wiring_.authority}});
        }
        return;
    }
    auto told = parse_retry_after(answer.retry_after, wiring_.time.wall_now());
    if (told) {
        told = std::min(*told, longest_told_pause);  // One mistake there would silence every app.
    }
    if (too_many && wiring_.host.overloaded(answer.answered_at, told)) {
        wiring_.log.warning(
            "fcm.host_overloaded",
            {{"host", wiring_.authority}, {"app", wiring_.app}, {"status", answer.status}});
    } else {
        static_cast<void>(wiring_.host.turned_away(answer.written_at, answer.answered_at, told));
    }
}

void line::weigh_quota(judgement& given, time_point now) noexcept {
    if (now - quota_window_ > 1s) {
        quota_window_ = now;
        quota_answers_ = 0;
    }
    if (++quota_answers_ > quota_answers_of_devices) {
        given.what().action = reaction::pause_quota;
        given.what().retry_after = quota_pause;
    }
}

void line::tell(judgement& given, const push& item, const http2::response& answer) {
    verdict& what = given.what();
    std::string_view problem = row_of(given.why()).meaning;
    if (what.action == reaction::refresh_credential) {
        if (wiring_.refresh(answer.written_at, answer.answered_at) == auth::renewal::too_young) {
            what.action = reaction::pause_app;
            problem = "FCM does not accept an access token that was issued a moment ago.";
        }
    }
    if (what.action == reaction::pause_app) {
        report(given, std::string(problem));
    } else if (given.why() == cause::apple_credential) {
        weigh_apple(given, item, answer.answered_at);
    } else if (what.action == reaction::reject_event && told_about_ != item.content) {
        // One line for an event, not one for each of its pushes that is in flight.
        told_about_ = item.content;
        wiring_.log.warning(
            "fcm.message_refused",
            {{"app", wiring_.app}, {"reason", what.reason}, {"answer", given.sentence()}});
    }
}

void line::report(const judgement& given, std::string problem) {
    problem += ' ';
    problem += row_of(given.why()).remedy;
    if (wiring_.health.report(problem)) {
        wiring_.log.error(
            "fcm.credential_refused", {{"app", wiring_.app},
                                       {"reason", given.what().reason},
                                       {"problem", problem},
                                       {"answer", given.sentence()}});
    }
}

void line::weigh_apple(judgement& given, const push& item, time_point now) {
    verdict& what = given.what();
    const bool worth_a_line = wiring_.apple.refused(item.token, item.written_at, now);
    if (!what.told) {
        what.retry_after = std::chrono::floor<std::chrono::milliseconds>(wiring_.apple.pause(now));
    }
    if (worth_a_line) {
        const cause_row& row = row_of(given.why());
        wiring_.log.error(
            "fcm.apple_credential_refused", {{"app", wiring_.app},
                                             {"reason", what.reason},
                                             {"problem", row.meaning},
                                             {"remedy", row.remedy},
                                             {"answer", given.sentence()}});
    }
}

void line::on_failure(const http2::failed_request& failed) noexcept {
    auto& item = *static_cast<push*>(failed.context);
    --in_flight_;
    item.written_at = failed.written_at;
    verdict what = no_answer(failed);
    if (failed.why != http2::failure::not_processed) {
        what.retry_after = least_pause;
    }
    wiring_.counters.count(0, what.reason);
    wiring_.source.settle(item, what, wiring_.time.now());
}

}  // namespace tocsin::fcm
