#include "tools/simulator/judge.hpp"

#include "tools/simulator/dead_token.hpp"

#include <algorithm>

namespace tocsin::sim {
namespace {

constexpr std::string_view not_json =
    "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n";
constexpr std::size_t split_piece = 7;

duration from_milliseconds(double ms) noexcept {
    return std::chrono::duration_cast<duration>(std::chrono::duration<double, std::milli>(ms));
}

reason_index reason_of_the_dead(provider which) noexcept {
    switch (which) {
        case provider::fcm: return index_of(fcm::reason::unregistered);
        case provider::webpush: return index_of(webpush::reason::gone);
        case provider::apns:
        case provider::sandbox: break;
    }
    return index_of(apns::reason::unregistered);
}

/// The token's own answer for this request, if it has a script that reaches so far.
const scripted_answer* scripted(const provider_behaviour& rules, std::uint64_t key, std::uint32_t attempt) {
    if (rules.scripts.empty()) {
        return nullptr;
    }
    const auto found = rules.scripts.find(key);
    if (found == rules.scripts.end()) {
        return nullptr;
    }
    const token_script& script = found->second;
    const std::size_t place = attempt - std::min(attempt, script.first);
    if (place < script.answers.size()) {
        return &script.answers[place];
    }
    return script.repeat ? &script.answers.back() : nullptr;
}

error_bodies body_of(const request& refused, const body_mix& mix, dice& chance) noexcept {
    if (!mix.mixed()) {
        return mix.all;
    }
    if (refused.status[0] != '5') {
        return error_bodies::json;
    }
    const double drawn = chance.roll();
    if (drawn < mix.missing) {
        return error_bodies::missing;
    }
    if (drawn < mix.missing + mix.split) {
        return error_bodies::split;
    }
    return drawn < mix.missing + mix.split + mix.html ? error_bodies::html : error_bodies::json;
}

}  // namespace

sentence judge::decide(
    conversation& talk, request& asked, dice& chance, const behaviour& current, const moment& now) {
    const provider_behaviour& rules = current.of(which_);
    counters_.add(tally::requests);
    if (chance.hit(rules.transport.refuse_share)) {
        return {fate::refuse, 0, {}};
    }
    choice chosen;
    chosen.reason = talk.check(asked, rules, now);
    if (chosen.reason != success || asked.validate_only) {
        chosen.ruling.delay = rules.delay.sample(draw(asked.key, current.seed, purpose::latency));
    } else {
        ledger_.record(asked.key, [&](std::uint32_t attempt) {
            chosen = choose(asked, current, attempt);
            if (attempt == token_ledger::most_counted && scripted(rules, asked.key, attempt) == nullptr) {
                // A load generator that names one token all the time would have the same latency from here
                // on.
                chosen.ruling.delay = rules.delay.sample(chance.bits());
            }
            return chosen.reason == success && chosen.ruling.what != fate::refuse;
        });
        asked.counted = true;
        asked.accepted = chosen.reason == success && chosen.ruling.what != fate::refuse;
    }
    write_answer(talk, asked, chosen, rules, chance, now);
    if (asked.accepted) {
        counters_.add(tally::accepted);
        counters_.by_owner[static_cast<std::size_t>(asked.owner)].add(1);
    } else if (asked.validate_only && chosen.reason == success) {
        counters_.add(tally::validated);
    }
    counters_.by_reason[asked.reason].add(1);
    if (current.record) {
        records_.record(which_, asked, now.wall_ms);
    }
    const faults& transport = rules.transport;
    if (chosen.ruling.what == fate::answer) {
        if (chance.hit(transport.reset_share)) {
            chosen.ruling.what = fate::reset;
            chosen.ruling.reset_code = transport.reset_codes[chance.choose(transport.reset_codes.size())];
        } else if (chance.hit(transport.silence_share)) {
            chosen.ruling.what = fate::silence;
        } else if (chance.hit(transport.close_share)) {
            chosen.ruling.what = fate::close;
        }
    }
    return chosen.ruling;
}

judge::choice judge::choose(
    const request& asked, const behaviour& current, std::uint32_t attempt) const noexcept {
    const provider_behaviour& rules = current.of(which_);
    choice out;
    out.details.timestamp = rules.dead_since;
    out.ruling.delay = rules.delay.sample(draw(asked.key, current.seed, purpose::latency, attempt));
    if (const scripted_answer* own = scripted(rules, asked.key, attempt)) {
        out.reason = own->reason;
        out.details.retry_after = own->retry_after;
        if (own->timestamp) {
            out.details.timestamp = own->timestamp;
        }
        out.ruling.what = own->what;
        out.ruling.reset_code = own->reset_code;
        if (own->delay_ms) {
            out.ruling.delay = from_milliseconds(*own->delay_ms);
        }
        return out;
    }
    if (is_dead_key(asked.key, current.seed, rules.dead_share) ||
        (!rules.dead_tokens.empty() && rules.dead_tokens.contains(asked.key))) {
        out.reason = reason_of_the_dead(which_);
        return out;
    }
    if (!rules.errors.empty()) {
        double left = unit(draw(asked.key, current.seed, purpose::error, attempt));
        for (const error_share& one : rules.errors) {
            if (left < one.share) {
                out.reason = one.reason;
                out.details.retry_after = one.retry_after;
                return out;
            }
            left -= one.share;
        }
    }
    return out;
}

void judge::write_answer(
    conversation& talk, request& asked, const choice& chosen, const provider_behaviour& rules, dice& chance,
    const moment& now) {
    asked.reason = chosen.reason;
    if (chosen.reason == success) {
        talk.accept(asked, now);
        return;
    }
    talk.refuse(asked, chosen.reason, chosen.details, now);
    switch (body_of(asked, rules.transport.bodies, chance)) {
        case error_bodies::json: break;
        case error_bodies::split: asked.piece = split_piece; break;
        case error_bodies::missing:
            asked.reply = {};
            asked.reply_type = {};
            break;
        case error_bodies::html:
            asked.reply = not_json;
            asked.reply_type = "text/html";
            break;
    }
}

void judge::take_back(request& asked) noexcept {
    counters_.add(tally::taken_back);
    counters_.take_one_from(counters_.by_reason[asked.reason]);
    if (!asked.counted) {
        return;
    }
    ledger_.take_back(asked.key, asked.accepted);
    if (asked.accepted) {
        counters_.take_one_from(counters_.tallies[static_cast<std::size_t>(tally::accepted)]);
        counters_.take_one_from(counters_.by_owner[static_cast<std::size_t>(asked.owner)]);
    }
    asked.counted = asked.accepted = false;
}

}  // namespace tocsin::sim
