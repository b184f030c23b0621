#include "engine/live/live_view.hpp"

#include "engine/core/plain_json.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/runtime/deadline.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
namespace names = ledger_names;
using namespace std::chrono_literals;

constexpr auto between_looks = 1s;
// Whoever watches asks again within a second or two; a page that was closed is not looked for any longer.
constexpr auto demand_lasts = 5s;
// Longer than this a look does not wait for Redis: that it does not answer is what must be shown then.
constexpr auto patience = 800ms;
constexpr std::size_t events_a_look = 12;
constexpr std::size_t urgent_events_a_look = 6;
constexpr std::size_t headings_a_look = 20;

std::int64_t milliseconds(wall_time when) noexcept {
    return when.time_since_epoch().count();
}

}  // namespace

live_view::live_view(
    asio::any_io_executor executor, redis::client& redis, keyspace keys, const territories& places,
    const time_source& time, logger& log, std::string instance, live_sources sources)
    : redis_(redis),
      keys_(std::move(keys)),
      places_(places),
      time_(time),
      log_(log),
      instance_(std::move(instance)),
      sources_(std::move(sources)),
      pause_(executor, time),
      wanted_(executor),
      changed_(executor),
      detail_read_(executor) {}

void live_view::demand() {
    demanded_at_ = time_.now();
    wanted_.notify_all();
}

void live_view::stop() {
    stopped_ = true;
    wanted_.notify_all();
    changed_.notify_all();
    detail_read_.notify_all();
    pause_.wake_all();
}

asio::awaitable<void> live_view::run() {
    while (!stopped_) {
        // Who waits wants a state however long ago it said so: it does not say it again before it has got
        // one.
        const bool stale = demanded_at_ == time_point::min() || time_.now() - demanded_at_ > demand_lasts;
        if (stale && *waiting_ == 0) {
            co_await wanted_.wait();
            continue;
        }
        const time_point next = time_.now() + between_looks;
        const result<> looked = co_await with_deadline(look(), clock::now() + patience);
        redis_problem_.clear();
        if (looked.has_error()) {
            redis_problem_ = looked.error() == asio::error::timed_out ? "Redis does not answer."
                                                                      : looked.error().message();
        }
        if (redis_problem_.empty()) {
            co_await look_at_followed();
        }
        publish();
        co_await pause_.wait_until(next);
    }
}

asio::awaitable<std::shared_ptr<const live_snapshot>> live_view::current() {
    demand();
    const waiting_one here(waiting_);
    while (!stopped_ && (now_ == nullptr || time_.now() - made_at_ > 2 * between_looks)) {
        co_await changed_.wait();
    }
    co_return stopped_ ? nullptr : now_;
}

asio::awaitable<std::shared_ptr<const live_snapshot>> live_view::after(std::uint64_t seen) {
    demand();
    const waiting_one here(waiting_);
    while (!stopped_ && (now_ == nullptr || now_->number <= seen)) {
        co_await changed_.wait();
    }
    co_return stopped_ ? nullptr : now_;
}

asio::awaitable<result<>> live_view::look() {
    auto step = co_await look_at_lists();
    if (step.has_value()) {
        step = co_await learn_headings();
    }
    if (step.has_value()) {
        step = co_await look_at_events();
    }
    co_return step;
}

std::vector<std::string> live_view::unknown_headings() const {
    std::vector<std::string> out;
    for (const std::string& id : running_) {
        if (out.size() < headings_a_look && !known_.contains(id)) {
            out.push_back(id);
        }
    }
    for (const ended_event& one : ended_) {
        if (out.size() < headings_a_look && !ended_headings_.contains(one.id)) {
            out.push_back(one.id);
        }
    }
    return out;
}

asio::awaitable<result<>> live_view::learn_headings() {
    const std::vector<std::string> unknown = unknown_headings();
    if (unknown.empty()) {
        co_return result<>();
    }
    redis::request ask;
    for (const std::string& id : unknown) {
        ask.add("HMGET", keys_.ledger(id), names::document, names::targets);
    }
    const auto answered = co_await redis_.execute(std::move(ask));
    if (answered.has_error()) {
        co_return answered.error();
    }
    const std::set<std::string, std::less<>> runs(running_.begin(), running_.end());
    for (std::size_t i = 0; i < unknown.size(); ++i) {
        const redis::reply values = (*answered)[i];
        ledger_fields fields;
        if (values.size() == 2) {
            fields.emplace(names::document, values[0].text());
            fields.emplace(names::targets, values[1].text());
        }
        event_heading heading = read_heading(fields);
        if (runs.contains(unknown[i])) {
            known_[unknown[i]].heading = heading;
        }
        for (ended_event& one : ended_) {
            if (one.id == unknown[i]) {
                one.summary = summary_of(heading, one.summary);
                ended_headings_[one.id] = heading;
            }
        }
    }
    co_return result<>();
}

// The most urgent ones at every look, the others in turns.
std::vector<std::string> live_view::events_to_look_at() {
    std::vector<std::string> out;
    const std::size_t urgent = std::min(urgent_events_a_look, running_.size());
    out.assign(running_.begin(), running_.begin() + static_cast<std::ptrdiff_t>(urgent));
    const std::size_t others = running_.size() - urgent;
    const std::size_t more = std::min(events_a_look - urgent, others);
    for (std::size_t i = 0; i < more; ++i) {
        out.push_back(running_[urgent + (turn_ + i) % others]);
    }
    turn_ = others == 0 ? 0 : (turn_ + more) % others;
    std::erase_if(out, [&](const std::string& id) { return !known_.contains(id); });
    return out;
}

asio::awaitable<result<>> live_view::look_at_events() {
    const std::set<std::string, std::less<>> runs(running_.begin(), running_.end());
    std::erase_if(known_, [&](const auto& one) { return !runs.contains(one.first); });
    const std::vector<std::string> wanted = events_to_look_at();
    if (wanted.empty()) {
        co_return result<>();
    }
    redis::request ask;
    std::vector<std::vector<std::string>> asked;
    for (const std::string& id : wanted) {
        asked.push_back(moving_fields(known_[id].heading.targets));
        ask.begin(2 + asked.back().size()).append("HMGET").append(keys_.ledger(id));
        for (const std::string& field : asked.back()) {
            ask.append(field);
        }
    }
    const auto answered = co_await redis_.execute(std::move(ask));
    if (answered.has_error()) {
        co_return answered.error();
    }
    const time_point now = time_.now();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const redis::reply values = (*answered)[i];
        ledger_fields fields;
        for (std::size_t f = 0; f < values.size() && f < asked[i].size(); ++f) {
            if (!values[f].is_nil()) {
                fields.emplace(asked[i][f], values[f].text());
            }
        }
        known_event& event = known_[wanted[i]];
        event.report = read_report(wanted[i], fields);
        event.pace.look(now, event.report.count(outcome::accepted), event.report.pages_settled);
        event.looked_at = now;
    }
    co_return result<>();
}

json::array live_view::event_lines() const {
    json::array out;
    const wall_time now = time_.wall_now();
    for (const std::string& id : running_) {
        const auto found = known_.find(id);
        if (found == known_.end() || found->second.report.event.empty()) {
            out.push_back(json::object{{"event", id}, {"state", to_string(event_state::running)}});
        } else {
            out.push_back(summary_of(found->second.heading, found->second.report, &found->second.pace, now));
        }
    }
    const std::set<std::string_view> runs(running_.begin(), running_.end());
    for (const ended_event& one : ended_) {
        if (!runs.contains(one.id)) {
            out.push_back(one.summary);
        }
    }
    return out;
}

void live_view::publish() {
    auto next = std::make_shared<live_snapshot>();
    next->number = now_ == nullptr ? 1 : now_->number + 1;
    json::object events{
        {"events", event_lines()},
        {"running_total", running_total_},
        {"scheduled", scheduled_},
        {"scheduled_total", scheduled_total_}};
    next->events = plain_json(events) + "\n";
    json::object status = sources_.health();
    status["at"] = milliseconds(time_.wall_now());
    status["instance"] = instance_;
    status["engines"] = engines_;
    status["redis_problem"] = redis_problem_;
    status["streams"] = streams_;
    status["dead_letters"] = json::object{{"total", letters_total_}, {"recent", letters_}};
    status["paused"] = paused_;
    status["lanes"] = sources_.lanes();
    for (auto& [name, value] : events) {
        status[name] = std::move(value);
    }
    next->status = plain_json(status);
    next->status_event =
        "event: status\nid: " + std::to_string(next->number) + "\ndata: " + next->status + "\n\n";
    next->status += '\n';
    now_ = std::move(next);
    made_at_ = time_.now();
    changed_.notify_all();
}

}  // namespace tocsin
