#include "engine/delivery/coordinator.hpp"
#include "engine/delivery/event_end.hpp"
#include "engine/event/event_writer.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/redis/error.hpp"
#include "engine/redis/streams.hpp"

#include <set>
#include <string_view>
#include <utility>

// What this engine knows of the running events, against what Redis knows: it may have forgotten one, or hold
// something under its keys that nobody has written. Such an event ends, and nothing else does.

namespace tocsin {
namespace {

namespace asio = boost::asio;

refusal not_a_ledger(const std::string& id) {
    return {
        std::string(damaged_ledger), "where Redis should hold the progress of event \"" + id +
                                         "\" stands something else: it ends without a result."};
}

refusal vanished(const std::string& id, const active_event* event) {
    std::string text = "event \"" + id + "\" was under way when Redis lost its memory of it";
    if (event == nullptr) {
        text += ": it ends without a result, and its text is lost as well.";
    } else {
        text +=
            ", " + std::to_string(event->pages_planned) +
            " pages of devices in all. Some were sent to, and nobody knows which: it ends without a result. "
            "A retry sends to all of them again.";
    }
    return {"event_vanished", std::move(text)};
}

event_state state_of(const ledger_fields& fields) {
    const auto found = fields.find(ledger_names::state);
    return found == fields.end() ? event_state::none : parse_event_state(found->second);
}

}  // namespace

asio::awaitable<result<>> coordinator::track(std::string id) {
    const auto fields = co_await ledger_.read(id);
    if (fields.has_error() && fields.error() == redis::redis_errc::damaged) {
        refusal why = not_a_ledger(id);
        co_return co_await write_off(std::move(id), std::move(why));
    }
    if (fields.has_error()) {
        co_return fields.error();
    }
    const event_state state = state_of(*fields);
    if (state == event_state::none && !events_.contains(id)) {
        refusal why = vanished(id, nullptr);
        co_return co_await write_off(std::move(id), std::move(why));
    }
    if (state == event_state::none) {
        events_.at(id).missing_since = time_.now();
        co_return result<>();
    }
    if (!is_open(state)) {
        co_return co_await ledger_.forget_running(std::move(id));
    }
    auto event = preparer_.restore(id, *fields);
    std::string damage;
    if (event.has_error()) {
        log_.error("event.cannot_be_restored", {{"event_id", id}, {"reason", event.error().message}});
        if (event.error().code != damaged_ledger) {
            co_return result<>();
        }
        damage = event.error().message;
    } else if (state == event_state::scheduled) {
        damage = not_begun;
    } else if (const auto open = fields->find("open");
               (*event)->targets.empty() && open != fields->end() && open->second != "0") {
        damage = "the list of its targets is gone";
    }
    tracked& entry = events_[id];
    if (!damage.empty()) {
        // Of no configuration's generation: until it has ended, it is taken up again and again.
        entry.event = event.has_value() ? std::move(*event) : std::make_shared<active_event>();
        entry.event->generation = 0;
        entry.event->id = id;
        entry.event->targets = read_targets(*fields);
        co_return co_await give_up(std::move(id), std::move(damage));
    }
    if (entry.event == nullptr) {
        log_.info("event.joined", {{"event_id", id}});
    } else if (entry.event->cancelled) {
        (*event)->cancelled = true;
    }
    entry.event = std::move(*event);
    enroll(id);
    co_return result<>();
}

asio::awaitable<result<>> coordinator::look_for_missing(const std::vector<std::string>& running) {
    const std::set<std::string_view> listed(running.begin(), running.end());
    std::vector<std::string> missing;
    for (auto& [id, entry] : events_) {
        if (entry.finishing) {
            continue;
        }
        if (entry.missing_since) {
            missing.push_back(id);
        } else if (!listed.contains(id)) {
            entry.missing_since = time_.now();  // Perhaps it was announced after the list was read.
        }
    }
    result<> first;
    for (const std::string& id : missing) {
        const bool is_listed = listed.contains(id);
        const auto looked = co_await look_for(id, is_listed);
        if (!goes_on(looked, first)) {
            break;
        }
    }
    co_return first;
}

asio::awaitable<result<>> coordinator::look_for(std::string id, bool listed) {
    const auto fields = co_await ledger_.read(id);
    const bool damaged = fields.has_error() && fields.error() == redis::redis_errc::damaged;
    if (fields.has_error() && !damaged) {
        co_return fields.error();
    }
    const auto at = events_.find(id);
    if (at == events_.end() || at->second.finishing || !at->second.missing_since) {
        co_return result<>();
    }
    const std::shared_ptr<active_event> event = at->second.event;
    const auto state = damaged ? std::nullopt : std::optional(state_of(*fields));
    const absence what = judge_absence(state, listed, time_.now() - *at->second.missing_since);
    if (what == absence::none || what == absence::unlisted) {
        at->second.missing_since.reset();
        enroll(id);
    }
    if (what == absence::ended) {
        events_.erase(at);
    }
    if (what == absence::unlisted) {
        log_.error("event.was_not_listed", {{"event_id", id}});
        co_return co_await ledger_.activate(
            std::move(id), std::string(), event->content.priority, event->accepted_at);
    }
    if (what != absence::forgotten && what != absence::damaged) {
        co_return result<>();
    }
    if (what == absence::forgotten) {
        // An older state of Redis may hold its entry: then intake plans it anew, as soon as it can.
        std::string group(keyspace::group);
        const auto comes_back = co_await redis::prospect_of(
            ledger_.connection(), ledger_.keys().events(), std::move(group), event->entry);
        if (comes_back.has_error()) {
            co_return comes_back.error();
        }
        if (*comes_back == redis::entry_prospect::outstanding) {
            co_return result<>();
        }
    }
    refusal why = damaged ? not_a_ledger(id) : vanished(id, event.get());
    co_return co_await write_off(std::move(id), std::move(why));
}

asio::awaitable<result<>> coordinator::write_off(std::string id, refusal why) {
    std::string entry = id;
    std::string payload;
    if (const auto found = events_.find(id); found != events_.end() && found->second.event != nullptr) {
        const active_event& event = *found->second.event;
        entry = event.entry.empty() ? id : event.entry;
        payload = to_json(event.content);
    }
    log_.error("event.written_off", {{"event_id", id}, {"reason", why.code}, {"message", why.message}});
    const auto posted = co_await letters_.post_once(
        ledger_.keys().events(), std::move(entry), std::move(why), std::move(payload));
    if (posted.has_error()) {
        co_return posted.error();
    }
    if (const auto at = events_.find(id); at != events_.end() && !at->second.finishing) {
        events_.erase(at);
    }
    co_return co_await ledger_.forget_running(std::move(id));
}

asio::awaitable<result<>> coordinator::give_up(std::string id, std::string why) {
    log_.error("event.damaged", {{"event_id", id}, {"reason", why}});
    std::vector<target> targets = events_.at(id).event->targets;
    const auto noted = co_await ledger_.give_up(id, std::move(why), std::move(targets));
    if (noted.has_error()) {
        co_return noted.error();
    }
    if (*noted == ledger::given_up::nowhere) {
        refusal letter = not_a_ledger(id);
        co_return co_await write_off(std::move(id), std::move(letter));
    }
    drained(id);
    co_return result<>();
}

}  // namespace tocsin
