#include "tools/proof/device_story.hpp"

#include "engine/core/digest.hpp"
#include "engine/core/rfc3339.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace tocsin::proof {
namespace {

namespace json = boost::json;

wall_time at_ms(std::int64_t ms) {
    return wall_time(std::chrono::milliseconds(ms));
}

std::string said(wall_time when) {
    return format_rfc3339(when);
}

wall_time registered_at(const device& known) {
    return wall_time(std::chrono::seconds(known.registered_at));
}

/// How the event's devices of this target have ended so far.
std::array<std::uint64_t, outcome_count> outcomes_of(const event_facts& event, const target& which) {
    const auto app = event.report.apps.find(which.app);
    if (app == event.report.apps.end()) {
        return {};
    }
    const auto found = app->second.find(std::string(to_string(which.on)));
    return found == app->second.end() ? std::array<std::uint64_t, outcome_count>{} : found->second;
}

/// Tells one device's story, a question at a time.
class teller {
public:
    teller(const event_facts& event, const device_facts& about, const territories& places)
        : event_(event), about_(about), places_(places) {}

    device_story tell() {
        out_.which = about_.which;
        out_.known = about_.known.has_value();
        out_.reached_by = about_.reached_by;
        match();
        if (about_.which.on == platform::apns) {
            out_.apns_id.resize(36);
            push_uuid(event_seed(event_.report.event), about_.token, out_.apns_id.data());
        }
        if (was_removed_by_it()) {
            tell_removal();
        } else if (!matched()) {
            out_.because = why_not_matched();
        } else if (!is_among_targets()) {
            out_.because = why_no_target();
        } else if (event_.is_scheduled()) {
            tell_schedule();
        } else if (event_.report.started_at == 0) {
            out_.because = "The event was stopped before anybody was targeted.";
        } else if (!came_in_time()) {
            tell_latecomer();
        } else {
            tell_targeted();
        }
        return std::move(out_);
    }

private:
    [[nodiscard]] std::string_view id() const { return event_.report.event; }
    /// It goes to those whom earlier events were sent to, wherever they are by now.
    [[nodiscard]] bool follows_others() const { return !event_.content.reached_by.empty(); }
    [[nodiscard]] bool matched() const {
        if (follows_others()) {
            return out_.known && !out_.reached_by.empty();
        }
        return (out_.known && (out_.named || out_.matched_through)) ||
               (!out_.known && out_.named && about_.sent_if_unknown);
    }
    [[nodiscard]] bool was_removed_by_it() const { return about_.removed && about_.removed->event == id(); }
    [[nodiscard]] bool is_among_targets() const {
        return std::ranges::find(event_.targets, about_.which) != event_.targets.end();
    }
    /// Registered before the event was planned. To the second: that is how registrations are kept.
    [[nodiscard]] bool came_in_time() const {
        return !about_.known || registered_at(*about_.known) <= at_ms(event_.report.started_at);
    }

    void match() {
        const auto named = std::ranges::find_if(event_.audience.devices(), [&](const named_token& one) {
            return one.on == about_.which.on && one.token == about_.token;
        });
        out_.named = named != event_.audience.devices().end();
        if (!about_.known) {
            return;
        }
        // The first of its territories, in their order, is the one that it is sent from.
        const auto first = std::ranges::find_if(
            about_.known->follow, [&](const territory& where) { return event_.audience.contains(where); });
        if (first != about_.known->follow.end()) {
            out_.matched_through = *first;
        }
        out_.muted =
            !event_.content.category.empty() &&
            std::ranges::find(about_.known->mute, event_.content.category) != about_.known->mute.end();
    }

    void tell_removal() {
        out_.targeted = true;
        out_.sent = sent_state::yes;
        out_.outcomes = {outcome::dead};
        out_.place = whereabouts{};
        out_.because = fmt::format(
            "It was sent to, and the provider said that its token is gone ({}); it was removed from the "
            "store at {}",
            about_.removed->reason, said(about_.removed->at));
        if (out_.known) {
            out_.because += ", and has registered again since";
        }
        out_.because += ".";
    }

    [[nodiscard]] std::string why_not_matched() const {
        if (!out_.known) {
            std::string out = fmt::format(
                "It is not registered with {}: unregistered, forgotten, or never known",
                to_string(about_.which));
            if (about_.removed) {
                out += fmt::format(
                    "; the event \"{}\" found at {} that its token is gone ({})", about_.removed->event,
                    said(about_.removed->at), about_.removed->reason);
            }
            return out + (out_.named ? "; the event names it, but not the app that it should be sent through."
                                     : ". Whether it was when the event was sent is not kept.");
        }
        if (follows_others()) {
            return fmt::format(
                "The event goes to those whom \"{}\" was sent to, and it is not among them as far as that is "
                "kept.",
                fmt::join(event_.content.reached_by, "\" or \""));
        }
        std::string followed;
        std::string missing;
        for (const territory& where : about_.known->follow) {
            followed += (followed.empty() ? "" : ", ") + selector_of(where);
            if (places_.find(where.commune) == nullptr) {
                missing += (missing.empty() ? "" : ", ") + to_string(where.commune);
            }
        }
        std::string out = fmt::format("It follows {}, none of which is in the event's audience", followed);
        if (!missing.empty()) {
            out += fmt::format(
                "; there is no commune {} in the list of territories (merged into another?)", missing);
        }
        return out + ".";
    }

    [[nodiscard]] std::string why_no_target() const {
        const auto& apps = event_.content.apps;
        if (!apps.empty() && std::ranges::find(apps, about_.which.app) == apps.end()) {
            return fmt::format("The event names other apps than {}.", about_.which.app);
        }
        if (follows_others()) {
            return fmt::format(
                "The event was not sent through {}: when it was planned, nobody there was known to have been "
                "sent to by \"{}\".",
                to_string(about_.which), fmt::join(event_.content.reached_by, "\" or \""));
        }
        return fmt::format(
            "The event was not sent through {}: when it was planned, the app did not serve its audience "
            "there, or nobody of its audience had registered.",
            to_string(about_.which));
    }

    void tell_schedule() {
        out_.would_be_targeted = true;
        out_.because = fmt::format(
            "The event waits{}. Nobody is targeted yet; as things are, this device will be{}.",
            event_.content.send_at ? " until " + said(*event_.content.send_at) : std::string(),
            out_.muted ? ", and will be counted as muted" : "");
    }

    void tell_latecomer() {
        const std::string when = said(registered_at(*about_.known));
        if (event_.ended()) {
            out_.because = fmt::format(
                "Its registration is of {}, after the event had begun at {}. Whether it was registered "
                "before, as it is now or otherwise, is not kept.",
                when, said(at_ms(event_.report.started_at)));
            out_.sent = sent_state::unknown;
            return;
        }
        out_.place = about_.place;
        const bool to_come = about_.place && about_.place->stage == page_stage::not_begun;
        out_.targeted = to_come;
        out_.sent = to_come ? sent_state::no : sent_state::unknown;
        out_.because = fmt::format(
            "It registered at {}, after the event had begun at {}; {}.", when,
            said(at_ms(event_.report.started_at)),
            to_come ? "its page is still to be read, and it will be sent to"
                    : "whether it was there when its page was read is not kept");
    }

    void tell_targeted() {
        out_.targeted = true;
        out_.place = event_.ended() ? std::optional(whereabouts{}) : about_.place;
        const page_stage stage = out_.place ? out_.place->stage : page_stage::settled;
        if (out_.muted) {
            out_.outcomes = {outcome::muted};
            out_.because = fmt::format(
                "It mutes the category \"{}\": counted as muted, and not sent to.", event_.content.category);
        } else if (stage == page_stage::settled) {
            tell_settled();
        } else {
            tell_unsettled(stage);
        }
    }

    void tell_settled() {
        const auto counts = outcomes_of(event_, about_.which);
        for (std::size_t i = 0; i < outcome_count; ++i) {
            const auto how = static_cast<outcome>(i);
            // A device that died is removed, so one that is registered since before the event did not, unless
            // an operator was asked. Whom it was sent to is remembered: nobody else can have been accepted.
            const bool alive = out_.known && event_.report.removals_held == 0;
            const bool possible = how != outcome::muted && (how != outcome::dead || !alive) &&
                                  (how != outcome::accepted || about_.reached.value_or(true));
            if (counts[i] != 0 && possible) {
                out_.outcomes.push_back(how);
            }
        }
        const bool dry = event_.content.skips_provider(about_.which.on);
        const bool complete = event_.damage.empty();
        const bool accepted = out_.outcomes == std::vector{outcome::accepted};
        const bool never = dry || !about_.reached.value_or(true);
        const bool answered = accepted || out_.outcomes == std::vector{outcome::dead};
        out_.sent = never ? sent_state::no : answered && complete ? sent_state::yes : sent_state::unknown;
        if (!complete) {
            out_.because = fmt::format(
                "It belongs to the event's audience, but part of that could not be looked at ({}).",
                event_.damage);
        } else if (accepted) {
            constexpr std::string_view all =
                "all devices of {} that the event targeted, but for the muted and the dead, were accepted.";
            out_.because = dry ? "A dry run: no push left. " : "It was sent to, and the provider accepted: ";
            out_.because += fmt::format(all, to_string(about_.which));
        } else if (!about_.reached.value_or(true)) {
            out_.because = "The event remembers whom it was sent to, and this device is not among them.";
        } else {
            out_.because = why_not_sure(dry);
        }
    }

    [[nodiscard]] std::string why_not_sure(bool dry) const {
        std::string words;
        for (const outcome how : out_.outcomes) {
            words += fmt::format("{}{}", words.empty() ? "" : " or ", to_string(how));
        }
        if (words.empty()) {
            return "Its page is settled, and no device of it has an outcome that this one could have.";
        }
        if (out_.outcomes == std::vector{outcome::dead} && out_.known) {
            return "It was sent to, and the provider said that its token is gone. Its removal was left to an "
                   "operator (tocsin devices prune), and it is in the store.";
        }
        if (out_.outcomes.size() == 1) {
            return fmt::format(
                "It ended as {}, as all devices of {} did that were neither muted nor dead{}.", words,
                to_string(about_.which), dry ? "; a dry run, so that no push left" : "");
        }
        return fmt::format(
            "It ended as {}: outcomes are kept as sums, and devices of {} ended in each of these ways{}.",
            words, to_string(about_.which), dry ? "; a dry run, so that no push left" : "");
    }

    void tell_unsettled(page_stage stage) {
        const bool over = event_.now >= event_.content.expires_at;
        std::string_view end = over ? "the event has expired" : "";
        end = event_.report.state == event_state::cancelling ? "the event is being cancelled" : end;
        const bool tried = stage == page_stage::open || (out_.place->maybe_sent);
        out_.sent =
            tried && !event_.content.skips_provider(about_.which.on) ? sent_state::unknown : sent_state::no;
        switch (stage) {
            case page_stage::not_begun:
                out_.because =
                    end.empty() && out_.place->due > event_.now
                        ? fmt::format(
                              "It waits for {}, when quiet hours end there or its turn in the event's spread "
                              "comes: it will be sent to then.",
                              said(out_.place->due))
                    : end.empty()
                        ? "Its page is still to be read: it will be sent to."
                        : fmt::format("Its page was not read yet, and {}: it will not be sent to.", end);
                break;
            case page_stage::open:
                out_.because = "Its page is being sent: it may have been sent to, and has no outcome yet.";
                break;
            case page_stage::parked:
                out_.because = fmt::format(
                    "It waits for another try at {}{}{}.", said(out_.place->due),
                    out_.place->attempts == 0 ? std::string()
                                              : fmt::format(", after {}", out_.place->attempts),
                    out_.place->maybe_sent ? "; an earlier one may have reached it" : "");
                if (!end.empty()) {
                    out_.because += fmt::format(" But {}: it will not be tried.", end);
                }
                break;
            case page_stage::settled: break;
        }
    }

    const event_facts& event_;
    const device_facts& about_;
    const territories& places_;
    device_story out_;
};

std::string_view matched_by(const device_story& story) {
    if (!story.reached_by.empty()) {
        return "event";
    }
    const std::string_view through = story.matched_through ? "territory" : "";
    return story.named ? "device" : through;
}

json::value text_or_null(std::string_view text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

}  // namespace

std::string_view to_string(sent_state value) noexcept {
    switch (value) {
        case sent_state::no: return "no";
        case sent_state::yes: return "yes";
        case sent_state::unknown: return "unknown";
    }
    return "";
}

device_story tell_story(const event_facts& event, const device_facts& about, const territories& places) {
    return teller(event, about, places).tell();
}

json::object story_object(const device_story& story, const device_facts& about, const territories& places) {
    json::object out{
        {"app", story.which.app},
        {"platform", to_string(story.which.on)},
        {"known", story.known},
        {"targeted", story.targeted},
        {"would_be_targeted", story.would_be_targeted},
        {"matched_by", text_or_null(matched_by(story))},
        {"reached_by", text_or_null(story.reached_by)},
        {"territory", text_or_null(story.matched_through ? selector_of(*story.matched_through) : "")},
        {"commune", text_or_null(story.matched_through ? places.name(story.matched_through->commune) : "")},
        {"muted", story.muted}};
    const bool placed = story.place.has_value();
    out["page"] = text_or_null(placed ? page_stage_names[static_cast<std::size_t>(story.place->stage)] : "");
    out["page_number"] = placed && story.place->page ? json::value(*story.place->page) : json::value(nullptr);
    const bool parked = placed && story.place->stage == page_stage::parked;
    out["retry_at"] =
        parked ? json::value(story.place->due.time_since_epoch().count()) : json::value(nullptr);
    out["apns_id"] = text_or_null(story.apns_id);
    out["sent"] = to_string(story.sent);
    out["outcome"] = text_or_null(story.outcomes.size() == 1 ? to_string(story.outcomes.front()) : "");
    json::array possible;
    for (const outcome how : story.outcomes) {
        possible.push_back(json::value(to_string(how)));
    }
    out["possible_outcomes"] = std::move(possible);
    out["because"] = story.because;
    if (about.known) {
        out["registered_at"] = about.known->registered_at;
        json::array follow;
        for (const territory& where : about.known->follow) {
            follow.push_back(json::value(selector_of(where)));
        }
        out["follow"] = std::move(follow);
    }
    return out;
}

}  // namespace tocsin::proof
