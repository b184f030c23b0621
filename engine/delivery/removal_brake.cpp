#include "engine/delivery/removal_brake.hpp"

#include <algorithm>

namespace tocsin {

double unusual_share(const removal_limits& limits, const answer_counts& usual) noexcept {
    if (usual.answers() < answers_to_know) {
        return limits.first_share;
    }
    return std::max(limits.share, std::min(limits.times * usual.share(), limits.first_share));
}

removal_judgement judge_removals(const removal_limits& limits, const removal_facts& facts) noexcept {
    removal_judgement out{
        .word = removal_word::remove, .seen = facts.event, .limit = unusual_share(limits, facts.usual)};
    if (limits.floor == 0 || facts.believed) {
        return out;
    }
    if (facts.held) {
        out.word = removal_word::hold;  // Whatever it looks like by now: the question is open.
        return out;
    }
    const auto unusual = [&out](const answer_counts& what) { return what.share() > out.limit; };
    const bool event_is = unusual(facts.event);
    if (event_is && facts.event.dead > limits.floor) {
        out.word = removal_word::hold;
        return out;
    }
    if (facts.event.answers() < limits.floor) {
        // By itself too small to say anything. A provider that is wrong about a thousand villages is
        // wrong about a city.
        answer_counts together = facts.small;
        together += facts.event;
        if (unusual(together) && together.dead > limits.floor) {
            out.seen = together;
            out.word = removal_word::hold;
            return out;
        }
    }
    // What begins in the middle of a large event is a small share of it for long; its pages tell at once.
    const bool page_is = facts.page && facts.page->answers() >= answers_of_page && unusual(*facts.page);
    const bool many_wait = facts.waiting > limits.floor;
    if (many_wait && (page_is || facts.when == removal_moment::end)) {
        out.seen = facts.page.value_or(answer_counts{0, facts.waiting});
        out.word = removal_word::hold;
        return out;
    }
    if (facts.when == removal_moment::end) {
        return out;
    }
    const bool settled_by_time = facts.when == removal_moment::overdue && facts.event.dead <= limits.floor;
    const bool looks_so = event_is || page_is || facts.when == removal_moment::overdue;
    out.word = looks_so && !settled_by_time ? removal_word::wait : removal_word::remove;
    return out;
}

}  // namespace tocsin
