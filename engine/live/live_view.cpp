#include "engine/live/live_view.hpp"

#include "engine/core/plain_json.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/error_replies.hpp"
#include "engine/redis/streams.hpp"
#include "engine/runtime/deadline.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <charconv>
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
constexpr int running_shown = 200;
constexpr int ended_shown = 50;
constexpr int scheduled_shown = 20;
constexpr int letters_shown = 5;
constexpr std::size_t events_a_look = 12;
constexpr std::size_t urgent_events_a_look = 6;
constexpr std::size_t headings_a_look = 20;
constexpr std::size_t details_kept = 32;
// What a detail costs to read is spent at most a fiftieth of the time.
constexpr int detail_rest = 50;
constexpr auto engine_silent_after = 5s;

std::int64_t milliseconds(wall_time when) noexcept {
    return when.time_since_epoch().count();
}

json::object stream_numbers(const redis::reply& groups) {
    json::object out{{"lag", nullptr}, {"pending", nullptr}};
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const redis::reply fields = groups[g];
        bool ours = false;
        json::object one{{"lag", nullptr}, {"pending", nullptr}};
        for (std::size_t f = 0; f + 1 < fields.size(); f += 2) {
            const std::string_view name = fields[f].text();
            if (name == "name") {
                ours = fields[f + 1].text() == keyspace::group;
            } else if (name == "lag" || name == "pending") {
                const auto number = fields[f + 1].integer();
                one[name] = number ? json::value(*number) : json::value(nullptr);
            }
        }
        if (ours) {
            out = std::move(one);
        }
    }
    return out;
}

json::value parsed_or_null(std::string_view text) {
    error_code problem;
    json::value out = json::parse(text, problem);
    return problem ? json::value(nullptr) : out;
}

std::uint64_t count_of(const redis::reply& answer) noexcept {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(answer.integer().value_or(0), 0));
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
        if (demanded_at_ == time_point::min() || time_.now() - demanded_at_ > demand_lasts) {
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
        publish();
        co_await pause_.wait_until(next);
    }
}

asio::awaitable<std::shared_ptr<const live_snapshot>> live_view::current() {
    demand();
    while (!stopped_ && (now_ == nullptr || time_.now() - made_at_ > 2 * between_looks)) {
        co_await changed_.wait();
    }
    co_return stopped_ ? nullptr : now_;
}

asio::awaitable<std::shared_ptr<const live_snapshot>> live_view::after(std::uint64_t seen) {
    demand();
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

asio::awaitable<result<>> live_view::look_at_lists() {
    const wall_time now = time_.wall_now();
    const bool first = last_result_.empty();
    redis::request ask;
    ask.add("ZRANGE", keys_.running(), 0, running_shown - 1).add("ZCARD", keys_.running());
    ask.add("ZRANGE", keys_.scheduled(), 0, scheduled_shown - 1, "WITHSCORES")
        .add("ZCARD", keys_.scheduled());
    ask.add("XLEN", keys_.dead_letters());
    ask.add("XREVRANGE", keys_.dead_letters(), "+", "-", "COUNT", letters_shown);
    ask.add("HKEYS", keys_.control());
    ask.add("ZCOUNT", keys_.engines(), milliseconds(now - engine_silent_after), "+inf");
    if (first) {
        ask.add("XREVRANGE", keys_.results(), "+", "-", "COUNT", ended_shown);
    } else {
        ask.add("XRANGE", keys_.results(), "(" + last_result_, "+", "COUNT", ended_shown);
    }
    // Errors of these are states to show: a stream that nobody has made yet has no groups.
    for (const std::string& stream : {keys_.events(), keys_.registrations(), keys_.receipts()}) {
        ask.add("XINFO", "GROUPS", stream);
    }
    auto answered = co_await redis_.execute(std::move(ask));
    if (answered.has_error()) {
        co_return answered.error();
    }
    const redis::replies& got = *answered;
    if (const auto refused = got.first_error(9)) {
        co_return redis::code_for(*refused);
    }
    running_.clear();
    for (std::size_t i = 0; i < got[0].size(); ++i) {
        running_.emplace_back(got[0][i].text());
    }
    running_total_ = count_of(got[1]);
    scheduled_.clear();
    for (std::size_t i = 0; i + 1 < got[2].size(); i += 2) {
        const auto due = got[2][i + 1].integer();
        scheduled_.push_back(json::object{
            {"event", got[2][i].text()}, {"due", due ? json::value(*due) : json::value(nullptr)}});
    }
    scheduled_total_ = count_of(got[3]);
    letters_total_ = count_of(got[4]);
    take_letters(got[5]);
    paused_.clear();
    for (std::size_t i = 0; i < got[6].size(); ++i) {
        constexpr std::string_view pause = "pause:";
        if (const std::string_view name = got[6][i].text(); name.starts_with(pause)) {
            paused_.push_back(json::string(name.substr(pause.size())));
        }
    }
    engines_ = count_of(got[7]);
    take_results(got[8], first);
    streams_ = {
        {"events", stream_numbers(got[9])},
        {"registrations", stream_numbers(got[10])},
        {"receipts", stream_numbers(got[11])}};
    co_return result<>();
}

void live_view::take_letters(const redis::reply& entries) {
    letters_.clear();
    const auto parsed = redis::parse_entries(entries);
    if (parsed.has_error()) {
        return;
    }
    for (const redis::stream_entry& entry : *parsed) {
        const auto text = entry.field("letter");
        const json::value letter = text ? parsed_or_null(*text) : json::value(nullptr);
        json::object line{{"id", entry.id}};
        if (const auto id = redis::parse_entry_id(entry.id)) {
            line["at"] = id->ms;
        }
        if (letter.is_object()) {
            // Not its payload: that may name people.
            for (const std::string_view name : {"stream", "entry", "reason"}) {
                if (const json::value* const value = letter.get_object().if_contains(name)) {
                    line[name] = *value;
                }
            }
        }
        letters_.push_back(std::move(line));
    }
}

void live_view::take_results(const redis::reply& entries, bool newest_first) {
    auto parsed = redis::parse_entries(entries);
    if (parsed.has_error()) {
        return;
    }
    if (newest_first) {
        std::ranges::reverse(*parsed);
    }
    if (parsed->empty() && newest_first) {
        last_result_ = "0-0";
    }
    for (const redis::stream_entry& entry : *parsed) {
        last_result_ = entry.id;
        const auto text = entry.field("result");
        const json::value document = text ? parsed_or_null(*text) : json::value(nullptr);
        if (!document.is_object()) {
            continue;
        }
        const json::value* const event = document.get_object().if_contains("event");
        if (event == nullptr || !event->is_string()) {
            continue;
        }
        std::string id(event->get_string());
        std::erase_if(ended_, [&](const ended_event& one) { return one.id == id; });
        event_heading heading;
        if (const auto known = known_.find(id); known != known_.end()) {
            heading = known->second.heading;
            ended_headings_[id] = heading;
        }
        ended_.push_front({std::move(id), summary_of(heading, document.get_object())});
    }
    while (ended_.size() > ended_shown) {
        ended_headings_.erase(ended_.back().id);
        ended_.pop_back();
    }
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
    for (const std::string& id : running_) {
        const auto found = known_.find(id);
        if (found == known_.end() || found->second.report.event.empty()) {
            out.push_back(json::object{{"event", id}, {"state", "running"}});
        } else {
            out.push_back(summary_of(found->second.heading, found->second.report, &found->second.pace));
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

asio::awaitable<result<std::shared_ptr<const std::string>>> live_view::event(
    std::string id, bool with_communes) {
    for (;;) {
        const auto kept = details_.find(id);
        if (kept != details_.end() && time_.now() < kept->second.good_until) {
            co_return with_communes ? kept->second.whole : kept->second.brief;
        }
        if (!reading_detail_ || stopped_) {
            break;
        }
        co_await detail_read_.wait();
    }
    reading_detail_ = true;
    const time_point began = time_.now();
    std::string wanted = id;
    auto fresh = co_await with_deadline(read_detail(std::move(wanted)), clock::now() + 5s);
    reading_detail_ = false;
    detail_read_.notify_all();
    if (fresh.has_error()) {
        co_return fresh.error();
    }
    const time_point now = time_.now();
    fresh->good_until = now + std::max<duration>(between_looks, (now - began) * detail_rest);
    if (details_.size() >= details_kept && !details_.contains(id)) {
        details_.erase(
            std::ranges::min_element(details_, {}, [](const auto& one) { return one.second.good_until; }));
    }
    const detail& stored = details_[id] = std::move(*fresh);
    co_return with_communes ? stored.whole : stored.brief;
}

asio::awaitable<result<live_view::detail>> live_view::read_detail(std::string id) {
    ledger book(redis_, keys_, std::string());
    const auto fields = co_await book.read(id);
    if (fields.has_error()) {
        co_return fields.error();
    }
    detail out;
    if (fields->empty()) {
        co_return out;
    }
    json::value stored = nullptr;
    if (const auto found = fields->find("result"); found != fields->end()) {
        stored = parsed_or_null(found->second);
    }
    json::object document = event_detail(read_heading(*fields), read_report(id, *fields), places_, &stored);
    out.whole = std::make_shared<const std::string>(plain_json(document) + "\n");
    document.erase("communes");
    out.brief = std::make_shared<const std::string>(plain_json(document) + "\n");
    co_return out;
}

}  // namespace tocsin
