#include "providers/apns/line.hpp"

#include "engine/core/digest.hpp"
#include "engine/core/json_members.hpp"
#include "engine/core/text.hpp"
#include "engine/delivery/service_proof.hpp"
#include "providers/apns/message.hpp"
#include "providers/common/bounded_json.hpp"
#include "providers/common/no_answer.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace tocsin::apns {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds sandbox_pause = 5s;

/// Why a token that is called expired cannot be helped by another; empty if it can.
std::string_view no_remedy(auth::renewal outcome) noexcept {
    switch (outcome) {
        case auth::renewal::too_young:
            return "APNs calls a provider token expired that was made a short time ago: this host's clock is "
                   "wrong.";
        case auth::renewal::failed:
            return "APNs calls the provider token expired, and no new one can be made.";
        case auth::renewal::renewed:
        case auth::renewal::not_needed: break;
    }
    return {};
}

}  // namespace

line::line(const line_wiring& wiring, std::string authority, bool sandbox, std::function<void()> wake_pool)
    : wiring_(wiring), authority_(std::move(authority)), sandbox_(sandbox), wake_pool_(std::move(wake_pool)) {
    std::ranges::copy(path_start, path_.begin());
}

void line::pair(line& production, line& sandbox) noexcept {
    production.other_ = &sandbox;
    sandbox.other_ = &production;
}

bool line::belongs_elsewhere(const push& item) const noexcept {
    return other_ != nullptr && item.sandbox != sandbox_;
}

bool line::queue_full() const noexcept {
    return queued_ >= (sandbox_ ? sandbox_queue_limit : production_queue_limit);
}

void line::enqueue(push& item) noexcept {
    item.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &item;
    last_ = &item;
    ++queued_;
}

void line::refuse(push& item, reaction action, std::string_view reason, time_point now) noexcept {
    verdict what;
    what.action = action;
    what.reason = reason;
    if (action == reaction::retry_elsewhere) {
        what.retry_after = sandbox_pause;
    }
    wiring_.source.settle(item, what, now);
}

push& line::dequeue() noexcept {
    push& item = *first_;
    first_ = std::exchange(item.next, nullptr);
    last_ = first_ == nullptr ? nullptr : last_;
    --queued_;
    return item;
}

bool line::give_back_if_over(push& item, time_point now) noexcept {
    const bool expired =
        static_cast<const rendered_message&>(*item.content).expires_at() <= wiring_.time.wall_now();
    if (!expired && wiring_.source.wanted(item, now)) {
        return false;
    }
    // Back to the source, which knows what that means.
    refuse(item, reaction::resend, "Over", now);
    return true;
}

push* line::take_queued(time_point now) noexcept {
    while (first_ != nullptr) {
        push& item = dequeue();
        if (!give_back_if_over(item, now)) {
            return &item;
        }
    }
    return nullptr;
}

void line::drop_over(time_point now) noexcept {
    for (std::size_t left = queued_; left != 0; --left) {
        push& item = dequeue();
        if (!give_back_if_over(item, now)) {
            enqueue(item);
        }
    }
}

push* line::draw(time_point now) noexcept {
    if (push* const item = take_queued(now)) {
        return item;
    }
    for (;;) {
        if (sandbox_ && other_ != nullptr && other_->queue_full()) {
            return nullptr;
        }
        push* const item = wiring_.source.take(now);
        if (item == nullptr || !belongs_elsewhere(*item)) {
            return item;
        }
        if (other_->queue_full()) {
            refuse(*item, reaction::retry_elsewhere, "SandboxBusy", now);
            continue;
        }
        other_->enqueue(*item);
        other_->wake_if_filled();
    }
}

bool line::look_for_work(time_point now) noexcept {
    while (queued_ == 0) {
        if (other_ != nullptr && other_->queue_full()) {
            return true;
        }
        push* const item = wiring_.source.take(now);
        if (item == nullptr) {
            return false;
        }
        (belongs_elsewhere(*item) ? *other_ : *this).enqueue(*item);
    }
    return true;
}

void line::wake_if_filled() {
    if (queued_ != 0) {
        wake_pool_();
    }
}

bool line::urgent() const noexcept {
    return wiring_.source.urgent();
}

std::size_t line::backlog(duration within) const noexcept {
    // What is not drawn yet is taken for production's: few devices are anything else.
    return queued_ + (sandbox_ ? 0 : wiring_.source.backlog(within));
}

bool line::next_request(std::uint64_t connection, time_point now, http2::request& out) noexcept {
    const issued_token* token = nullptr;
    if (wiring_.token != nullptr) {
        wiring_.token->keep_fresh(now);
        token = token_.get(wiring_.token->slot());
        if (token == nullptr) {
            return false;
        }
        note_token(*token, connection);
    }
    while (push* const item = draw(now)) {
        if (fill(*item, token, out)) {
            ++in_flight_;
            return true;
        }
        refuse(*item, reaction::reject_push, "MalformedToken", now);
    }
    return false;
}

bool line::fill(push& item, const issued_token* token, http2::request& out) noexcept {
    using enum http2::indexing;
    if (item.token.empty() || item.token.size() > max_token) {
        return false;
    }
    to_hex(item.token, path_.data() + path_start.size());
    const auto& content = static_cast<const rendered_message&>(*item.content);
    push_uuid(content.seed(), item.token, apns_id_.data());
    const shared_headers& shared = content.headers();

    out.add(":method", "POST");
    out.add(":scheme", "https");
    out.add(":authority", authority_);
    out.add(":path", {path_.data(), path_start.size() + 2 * item.token.size()}, never);
    if (token != nullptr) {
        out.add("authorization", token->authorization);
    }
    if (!shared.topic.empty()) {
        out.add("apns-topic", shared.topic);
    }
    out.add("apns-push-type", shared.push_type);
    out.add("apns-priority", shared.priority);
    out.add("apns-id", {apns_id_.data(), apns_id_.size()}, never);
    // Kept out of the table, too: where small events alternate they would drive out what repeats.
    out.add("apns-expiration", shared.expiration, never);
    out.add("apns-collapse-id", shared.collapse_id, never);
    out.add("content-type", "application/json");
    out.body[0] = content.body(item.variant);
    out.context = &item;
    return true;
}

http2::connection_advice line::on_response(const http2::response& answer) noexcept {
    auto& item = *static_cast<push*>(answer.context);
    --in_flight_;
    item.written_at = answer.written_at;
    if (answer.status == 200 && answer.body.empty()) [[likely]] {
        wiring_.counters.accepted();
        wiring_.health.clear();
        if (wiring_.token != nullptr) {
            wiring_.token->accepted(answer.written_at);
        }
        sandbox_health_.clear();
        unrelated_key_connection_ = 0;
        verdict what;
        what.action = reaction::accept;
        what.status = 200;
        what.provider_id = answer.provider_id;
        wiring_.source.settle(item, what, answer.answered_at);
        return http2::connection_advice::keep;
    }
    apns::answer said;
    said.status = answer.status;
    said.body = answer.body;
    said.retry_after = answer.retry_after;
    said.apns_id = answer.provider_id;
    judgement given(said, item.attempts, wiring_.time.wall_now());
    const auto advice = weigh(given, answer);
    wiring_.counters.count(given.what().status, given.what().reason);
    wiring_.source.settle(item, given.what(), answer.answered_at);
    return advice;
}

http2::connection_advice line::weigh(judgement& given, const http2::response& answer) noexcept {
    verdict& what = given.what();
    std::string_view problem = given.row().meaning;
    // What an event's own topic provokes says nothing about the credential, nor about its connection.
    const bool of_the_event =
        given.row().about_topic && static_cast<const push*>(answer.context)->content->overridden();
    http2::connection_advice advice = of_the_event ? http2::connection_advice::doubt : given.row().connection;
    if (what.action == reaction::refresh_credential) {
        const auto outcome = wiring_.token != nullptr
                                 ? wiring_.token->refresh_after_refusal(answer.written_at, answer.answered_at)
                                 : auth::renewal::failed;
        if (const std::string_view trouble = no_remedy(outcome); !trouble.empty()) {
            what.action = reaction::pause_app;
            problem = trouble;
        }
    } else if (what.reason == "InvalidProviderToken" && wiring_.token != nullptr && !of_the_event) {
        // Signed by a clock that was wrong and has been set since, a new one is good.
        if (wiring_.token->refresh_after_refusal(answer.written_at, answer.answered_at) ==
            auth::renewal::renewed) {
            what.action = reaction::refresh_credential;
        }
    } else if (what.reason == "TooManyProviderTokenUpdates") {
        if (wiring_.token != nullptr && wiring_.token->too_many_updates(answer.answered_at)) {
            // Back to the token that this connection accepted: no need for another.
            advice = http2::connection_advice::keep;
        }
    } else if (what.reason == "UnrelatedKeyIdInToken") {
        // Once is a connection of an older key; on a second connection, it is the key.
        if (unrelated_key_connection_ != 0 && unrelated_key_connection_ != answer.connection) {
            what.action = reaction::pause_app;
        }
        unrelated_key_connection_ = answer.connection;
    }
    // A number alone may be anybody's: a proxy's, or that of another service.
    const bool in_apples_words = given.row().reason != "Unknown";
    if (advice == http2::connection_advice::keep && !(in_apples_words && shows_service(what))) {
        advice = http2::connection_advice::doubt;
    }
    if (what.action == reaction::pause_app && !of_the_event && report(given.row(), what.reason, problem)) {
        // A key for production alone is no reason to stop production.
        what.action = reaction::reject_push;
    }
    return advice;
}

bool line::report(const reason_row& row, std::string_view reason, std::string_view meaning) noexcept {
    const bool for_development_only = sandbox_ && other_ != nullptr;
    try {
        const std::string problem = std::string(meaning) + ' ' + std::string(row.remedy);
        auto& health = for_development_only ? sandbox_health_ : wiring_.health;
        if (health.report(problem)) {
            wiring_.log.error(
                "apns.credential_refused", {{"app", wiring_.app},
                                            {"environment", sandbox_ ? "sandbox" : "production"},
                                            {"reason", reason},
                                            {"problem", problem}});
        }
    } catch (const std::exception&) {
        // Out of memory for a sentence: the verdict stands without it.
    }
    return for_development_only;
}

void line::on_peer_word(const http2::peer_word& said) noexcept {
    bounded_json reader;
    std::string_view reason;
    if (said.about_our_certificate()) {
        reason = "BadCertificate";
    } else if (said.what == http2::peer_word::kind::going_away && !said.text.empty()) {
        const auto* document = reader.parse(said.text);
        const auto* object = document != nullptr ? document->if_object() : nullptr;
        reason = object != nullptr ? text_at(*object, "reason") : std::string_view();
    }
    const reason_row* const row = find_reason(reason);
    if (row == nullptr ||
        (row->action != reaction::pause_app && row->action != reaction::refresh_credential)) {
        return;
    }
    wiring_.counters.count(0, row->reason);
    std::string_view problem = row->meaning;
    if (row->action == reaction::refresh_credential) {
        problem = renew(said.connection);
        if (problem.empty()) {
            return;
        }
    }
    if (!report(*row, row->reason, problem)) {
        wiring_.source.refuse_credential(row->reason, wiring_.time.now());
    }
}

void line::note_token(const issued_token& token, std::uint64_t connection) noexcept {
    if (token.valid_from != token_from_) [[unlikely]] {
        token_from_ = token.valid_from;
        newest_of_older_token_ = newest_connection_;
    }
    newest_connection_ = std::max(newest_connection_, connection);
}

std::string_view line::renew(std::uint64_t connection) noexcept {
    if (wiring_.token == nullptr) {
        return no_remedy(auth::renewal::failed);
    }
    const time_point now = wiring_.time.now();
    const auto outcome = wiring_.token->refresh_after_refusal(now, now);
    if (const issued_token* const token = token_.get(wiring_.token->slot())) {
        note_token(*token, 0);
    }
    // Which of its requests the connection speaks of is not known: it carried the older token, too.
    const bool of_older = connection <= newest_of_older_token_;
    return outcome == auth::renewal::too_young && of_older ? std::string_view() : no_remedy(outcome);
}

void line::on_failure(const http2::failed_request& failed) noexcept {
    auto& item = *static_cast<push*>(failed.context);
    --in_flight_;
    item.written_at = failed.written_at;
    const verdict what = no_answer(failed);
    wiring_.counters.count(0, what.reason);
    wiring_.source.settle(item, what, wiring_.time.now());
}

}  // namespace tocsin::apns
