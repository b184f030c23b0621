#include "engine/delivery/claim_agenda.hpp"

namespace tocsin {

void claim_agenda::ask(const place& who, time_point due) {
    take_out(who.event, who.which);
    const moment when(due, asked_++);
    places_[{who.event, who.which}] = {who.urgency, when};
    change({who.urgency, who.which}, [&](queue& line) { line.emplace(when, who.event); });
}

void claim_agenda::begin_turn(time_point now) noexcept {
    turn_began_ = now;
    first_of_next_turn_ = asked_;
}

std::optional<claim_agenda::place> claim_agenda::next(const room_for& look) {
    for (auto first = firsts_.begin(); first != firsts_.end();) {
        const auto& [urgency, due, which] = *first;
        if (due > turn_began_) {
            first = firsts_.upper_bound({urgency, time_point::max(), target{}});
            continue;
        }
        if (auto found = next_of({urgency, which}, look)) {
            return found;
        }
        ++first;
    }
    return std::nullopt;
}

std::optional<claim_agenda::place> claim_agenda::next_of(const queue_key& key, const room_for& look) {
    for (const auto& [when, event] : queues_.at(key)) {
        if (when.first > turn_began_ || when.second >= first_of_next_turn_) {
            break;
        }
        place who{event, key.second, key.first};
        const room there_is = look(who);
        if (there_is == room::some) {
            take_out(who.event, who.which);
            return who;
        }
        if (there_is == room::none) {
            break;
        }
    }
    return std::nullopt;
}

void claim_agenda::take_out(const std::string& event, const target& which) {
    const auto found = places_.find({event, which});
    if (found == places_.end()) {
        return;
    }
    const auto [urgency, when] = found->second;
    places_.erase(found);
    change({urgency, which}, [&, at = when](queue& line) { line.erase(at); });
}

void claim_agenda::change(const queue_key& key, const std::function<void(queue&)>& how) {
    const auto at = queues_.try_emplace(key).first;
    queue& line = at->second;
    if (!line.empty()) {
        firsts_.erase({key.first, line.begin()->first.first, key.second});
    }
    how(line);
    if (line.empty()) {
        queues_.erase(at);
    } else {
        firsts_.insert({key.first, line.begin()->first.first, key.second});
    }
}

}  // namespace tocsin
