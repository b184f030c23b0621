#include "engine/core/digest.hpp"
#include "engine/core/json_members.hpp"
#include "engine/core/rfc3339.hpp"
#include "engine/plan/event_preparer.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/streams.hpp"
#include "providers/known_platforms.hpp"
#include "tools/proof/device_story.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/device_session.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/letters.hpp"
#include "tools/tocsin/report_document.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
namespace names = ledger_names;
using proof::device_facts;
using proof::device_story;
using proof::event_facts;

struct explain_options {
    std::string event;
    std::string device;
};

constexpr std::size_t feedback_per_read = 1'000;
constexpr std::size_t most_feedback_read = 200'000;

/// "device:apns:TOKEN" and "apns:TOKEN" are what selectors and people write; the rest is the token.
std::string bare_token(std::string_view given) {
    if (given.starts_with("device:")) {
        given.remove_prefix(std::string_view("device:").size());
    }
    const std::size_t colon = given.find(':');
    if (colon != std::string_view::npos && parse_platform(given.substr(0, colon))) {
        given.remove_prefix(colon + 1);
    }
    return std::string(given);
}

/// Nothing if what the ledger holds of it cannot be read.
std::optional<event_facts> facts_of(const stored_event& event, const time_source& time) {
    auto content = content_of(event);
    auto whom = audience::decode(event.field(names::audience));
    if (content.has_error() || whom.has_error()) {
        return std::nullopt;
    }
    event_facts out;
    out.report = event.report;
    out.content = std::move(*content);
    out.audience = std::move(*whom);
    out.targets = read_targets(event.fields);
    out.now = time.wall_now();
    for (const char* const reason : {"engine:PoisonShard", "engine:DamagedEvent", "engine:DamagedRoster"}) {
        if (event.report.reasons.contains(reason)) {
            out.damage = reason;
        }
    }
    return out;
}

/// Takes what one document of the feedback says, if it is about one of these devices.
void note_removal(std::string_view document, const std::string& event, std::vector<device_facts>& about) {
    for (device_facts& one : about) {
        const std::string written = known_platforms()[one.which.on].written_token(one.token);
        if (document.find(written) == std::string_view::npos) {
            continue;  // Most are about others, and parsing costs more than looking.
        }
        const auto said = parse_object(document).value_or(json::object());
        if (text_at(said, "app") != one.which.app || text_at(said, "platform") != to_string(one.which.on) ||
            text_at(said, "token") != written || (one.removed && text_at(said, "event") != event)) {
            continue;
        }
        one.removed = device_facts::removal{
            std::string(text_at(said, "event")), std::string(text_at(said, "reason")),
            wall_time(std::chrono::milliseconds(integer_at(said, "at").value_or(0)))};
    }
}

/// Reads the feedback backwards, from the newest on, for what it says of these devices: of the event's own
/// entries rather than of later ones. `since`: how far back (ms).
asio::awaitable<result<>> find_removals(
    redis_session& redis, std::string event, std::vector<device_facts>& about, std::int64_t since) {
    std::string to = "+";
    for (std::size_t seen = 0; seen < most_feedback_read;) {
        redis::request ask("XREVRANGE", redis.keys().feedback(), to, since, "COUNT", feedback_per_read);
        const auto answer = co_await redis::execute_checked(redis.redis(), std::move(ask));
        if (answer.has_error()) {
            co_return answer.error();
        }
        const auto entries = redis::parse_entries(answer->front());
        if (entries.has_error()) {
            co_return entries.error();
        }
        for (const redis::stream_entry& entry : *entries) {
            note_removal(entry.field("feedback").value_or(""), event, about);
            to = "(" + entry.id;
        }
        seen += entries->size();
        if (entries->size() < feedback_per_read) {
            break;
        }
    }
    co_return result<>();
}

/// Asks the events that remember whom they were sent to: this one, and those that it ends.
asio::awaitable<result<>> find_reached(store_session& in, const event_facts& event, device_facts& about) {
    ledger book(in.redis.redis(), in.redis.keys(), "");
    std::vector<std::string> asked = event.content.reached_by;
    if (event.content.remembers_reached) {
        asked.push_back(event.report.event);
    }
    const token_hash hash = hash_token(about.token);
    for (const std::string& id : asked) {
        const auto reached = co_await book.reached(id, about.which);
        if (reached.has_error()) {
            co_return reached.error();
        }
        const bool found = std::ranges::find(*reached, hash, &hashed_device::which) != reached->end();
        if (id == event.report.event) {
            about.reached = found;
        } else if (found && about.reached_by.empty()) {
            about.reached_by = id;
        }
    }
    co_return result<>();
}

/// What is known of the device in each app that could have it.
asio::awaitable<result<std::vector<device_facts>>> look_at_device(
    store_session& in, const event_facts& event, std::string token) {
    std::vector<device_facts> out;
    for (const target& which : in.possible_targets(token)) {
        device_facts one;
        one.which = which;
        one.token = known_platforms()[which.on].stored_token(token);
        auto known = co_await in.store.find(which.app, which.on, one.token);
        if (known.has_error()) {
            co_return known.error();
        }
        if (*known) {
            one.known = std::move((*known)->which);
        }
        const bool only_app = std::ranges::count_if(in.preparer.apps(), [&](const served_app& app) {
                                  return app.platforms.contains(which.on);
                              }) == 1;
        one.sent_if_unknown = only_app || !event.content.apps.empty();
        const auto asked = co_await find_reached(in, event, one);
        if (asked.has_error()) {
            co_return asked.error();
        }
        out.push_back(std::move(one));
    }
    const bool all_known =
        std::ranges::all_of(out, [](const device_facts& one) { return one.known.has_value(); });
    const std::int64_t since = all_known ? event.report.accepted_at : 0;
    const auto looked = co_await find_removals(in.redis, event.report.event, out, since);
    if (looked.has_error()) {
        co_return looked.error();
    }
    co_return out;
}

/// Where the event meets the device in a roster: by the first territory that it is in the audience by.
asio::awaitable<result<std::optional<device_place>>> place_of(
    store_session& in, const device_facts& about, std::optional<territory> where) {
    if (!where) {
        co_return std::optional<device_place>();
    }
    std::vector<territory> asked(1, *where);
    const auto rosters = co_await in.store.rosters_of(about.which.app, about.which.on, std::move(asked));
    if (rosters.has_error()) {
        co_return rosters.error();
    }
    if (rosters->rosters.empty()) {
        co_return std::optional<device_place>();
    }
    const roster_head head = rosters->rosters.front().head;
    device_place out;
    out.where = *where;
    out.generation = head.generation;
    out.bucket = hash_token(about.token).bucket(head.buckets);
    co_return std::optional<device_place>(std::move(out));
}

asio::awaitable<result<std::vector<device_story>>> tell_all(
    store_session& in, const event_facts& event, std::vector<device_facts>& about) {
    std::vector<device_story> out;
    for (device_facts& one : about) {
        device_story story = proof::tell_story(event, one, in.places);
        const bool in_plan = std::ranges::find(event.targets, one.which) != event.targets.end();
        if (!event.ended() && !event.is_scheduled() && in_plan &&
            (story.named || story.matched_through || !story.reached_by.empty())) {
            std::optional<territory> through;
            if (!story.named) {
                through = story.matched_through;
            }
            auto place = co_await place_of(in, one, std::move(through));
            if (place.has_error()) {
                co_return place.error();
            }
            const auto found = co_await find_whereabouts(
                in.redis.redis(), in.redis.keys(), event.report.event, one.which, one.token, *place);
            if (found.has_error()) {
                co_return found.error();
            }
            one.place = *found;
            story = proof::tell_story(event, one, in.places);
        }
        out.push_back(std::move(story));
    }
    co_return out;
}

/// The one that the question is about, if the token could be several devices: who was targeted before who is
/// known.
std::size_t main_story(const std::vector<device_story>& stories) {
    const auto rank = [](const device_story& one) {
        return 4 * one.targeted + 2 * one.would_be_targeted + one.known;
    };
    return static_cast<std::size_t>(std::ranges::max_element(stories, {}, rank) - stories.begin());
}

std::string place_text(const device_story& story) {
    if (!story.place) {
        return "";
    }
    std::string out(page_stage_names[static_cast<std::size_t>(story.place->stage)]);
    std::ranges::replace(out, '_', ' ');
    return story.place->page ? fmt::format("{} (page {})", out, *story.place->page) : out;
}

void print_story(const device_story& story, const device_facts& about, const territories& places) {
    const auto line = [](std::string_view name, const std::string& text) {
        if (!text.empty()) {
            print(fmt::format("  {:<9} {}", name, shown(text)));
        }
    };
    std::string verdict = story.targeted            ? "targeted"
                          : story.would_be_targeted ? "not targeted yet"
                                                    : "not targeted";
    verdict += story.targeted && story.muted ? ", and muted" : "";
    print(fmt::format("{}: {}", to_string(story.which), verdict));
    std::string known = "no";
    if (about.known) {
        known = "since " + format_rfc3339(wall_time(std::chrono::seconds(about.known->registered_at)));
        for (std::size_t i = 0; i < about.known->follow.size(); ++i) {
            known += (i == 0 ? ", follows " : ", ") + selector_of(about.known->follow[i]);
        }
    }
    line("known", known);
    if (!story.reached_by.empty()) {
        line("matched", "was sent to by the event " + story.reached_by);
    } else if (story.named) {
        line("matched", "named by the event");
    } else if (story.matched_through) {
        const std::string_view name = places.name(story.matched_through->commune);
        line(
            "matched", "through " + selector_of(*story.matched_through) +
                           (name.empty() ? std::string() : fmt::format(" ({})", name)));
    }
    line("muted", story.targeted || story.would_be_targeted ? (story.muted ? "yes" : "no") : "");
    line("page", place_text(story));
    line("apns-id", story.targeted || story.would_be_targeted ? story.apns_id : "");
    line("sent", story.targeted ? std::string(to_string(story.sent)) : "");
    line("because", story.because);
}

json::object explanation(
    const common_options& common, const event_facts& event, const std::string& token,
    const std::vector<device_story>& stories, const std::vector<device_facts>& about,
    const territories& places) {
    const std::size_t chief = main_story(stories);
    json::object out{
        {"event", event.report.event},
        {"state", to_string(event.report.state)},
        {"device", common.show_tokens ? token : shorten_token(token)}};
    for (auto& [name, value] : proof::story_object(stories[chief], about[chief], places)) {
        out[name] = std::move(value);
    }
    json::array others;
    for (std::size_t i = 0; i < stories.size(); ++i) {
        if (i != chief) {
            others.push_back(proof::story_object(stories[i], about[i], places));
        }
    }
    out["others"] = std::move(others);
    return out;
}

/// The event was refused, or nobody has heard of it: it has targeted nobody.
int explain_absence(store_session& in, const common_options& common, const std::string& event) {
    if (!common.json) {
        end_without(in.redis, event);
    }
    refusal_search refusals(in.redis, event, "");
    const auto refused = in.redis.run(refusals.look());
    print_json(json::object{
        {"event", event},
        {"state", refused ? "refused" : "unknown"},
        {"targeted", false},
        {"because",
         refused ? "The event was refused: " + refused->reason
                 : std::string("No such event is known; what ended is kept for engine.event_retention.")}});
    return exit_failed;
}

int explain(const common_options& common, const explain_options& how) {
    store_session in(common);
    const std::string token = bare_token(how.device);
    if (in.possible_targets(token).empty()) {
        throw command_end(exit_usage, "--device: no configured app could have a device of this token");
    }
    const auto stored = in.redis.run(read_stored_event(in.redis, how.event));
    if (!stored) {
        return explain_absence(in, common, how.event);
    }
    const auto event = facts_of(*stored, in.redis.time());
    if (!event) {
        throw command_end(exit_failed, "what Redis holds of the event \"" + how.event + "\" cannot be read");
    }
    auto about = in.redis.run(look_at_device(in, *event, token));
    const auto stories = in.redis.run(tell_all(in, *event, about));
    if (common.json) {
        print_json(explanation(common, *event, token, stories, about, in.places));
    } else {
        const std::string written = common.show_tokens ? token : shorten_token(token);
        print(fmt::format(
            "{} {}, device {}", shown(event->report.event), to_string(event->report.state), shown(written)));
        // An app that neither knows it nor was asked for it has nothing to say, unless nobody has.
        const std::size_t chief = main_story(stories);
        for (std::size_t i = 0; i < stories.size(); ++i) {
            if (i == chief || stories[i].known || stories[i].targeted) {
                print_story(stories[i], about[i], in.places);
            }
        }
    }
    return stories[main_story(stories)].targeted ? exit_ok : exit_failed;
}

constexpr std::string_view details =
    "Says from the data in Redis, for one device and one event: whether the device is known and what it "
    "follows, which of its territories matched the event, whether it mutes the category, whether its page is "
    "settled, parked (it waits for another try), open (it is being sent) or not begun, and the `apns-id` of "
    "its push. Redis keeps outcomes as sums, not by device. So it says \"was sent to\" only if the sums or "
    "the feedback prove it, and otherwise lists the outcomes that the device may have had, and why.\n\n"
    "Exit code 0 if the device was targeted, even if it muted the event's category; 1 if it was not, or if "
    "the event waits for its `send_at`, was refused, or is not known.\n\n"
    "`--json`: `event`, `state`, `device`, `app`, `platform`, `known`, `registered_at`, `follow`, "
    "`targeted`, "
    "`would_be_targeted`, `matched_by` (`device`, `territory`, `event`), `reached_by`, `territory`, "
    "`commune`, `muted`, `page` "
    "(`settled`, "
    "`parked`, `open`, `not_begun`), `page_number`, `retry_at` (ms), `apns_id`, `sent` (`yes`, `no`, "
    "`unknown`), "
    "`outcome`, `possible_outcomes`, `because`; `others` has the same for other apps that could know the "
    "token.";

}  // namespace

command explain_command() {
    const auto how = std::make_shared<explain_options>();
    return {
        .name = "explain",
        .group = command_group::look,
        .summary = "Why a device was, or was not, sent to.",
        .examples =
            "tocsin explain --event crue-ouche-2026-11-23 --device 5f2c…\n"
            "tocsin explain --event crue-ouche-2026-11-23 --device device:fcm:TOKEN --json\n",
        .options =
            {
                option("--event", how->event, "The event's id").value("EVENT").required(),
                option("--device", how->device, "The device's token, or a selector of it")
                    .value("TOKEN")
                    .required(),
            },
        .details = std::string(details),
        .run = [how](const common_options& common) { return explain(common, *how); },
    };
}

}  // namespace tocsin::cli
