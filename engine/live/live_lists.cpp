#include "engine/keyspace/keyspace.hpp"
#include "engine/live/live_view.hpp"
#include "engine/live/parsed_document.hpp"
#include "engine/redis/error_replies.hpp"
#include "engine/redis/streams.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

// What the lists of a look are read from: one pipeline, however many watch.

namespace tocsin {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

constexpr int running_shown = 200;
constexpr int ended_shown = 50;
constexpr int scheduled_shown = 20;
constexpr int letters_shown = 5;
constexpr auto engine_silent_after = 5s;

std::int64_t milliseconds(wall_time when) noexcept {
    return when.time_since_epoch().count();
}

json::object stream_numbers(const redis::reply& groups) {
    const auto ours = redis::parse_group(groups, keyspace::group).value_or(redis::group_state());
    const auto number = [](const std::optional<std::int64_t>& known) {
        return known ? json::value(*known) : json::value(nullptr);
    };
    return {{"lag", number(ours.lag)}, {"pending", number(ours.pending)}};
}

std::uint64_t count_of(const redis::reply& answer) noexcept {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(answer.integer().value_or(0), 0));
}

}  // namespace

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
    for (const incoming_stream& stream : incoming_streams) {
        ask.add("XINFO", "GROUPS", stream.key_in(keys_));
    }
    auto answered = co_await redis_.execute(std::move(ask));
    if (answered.has_error()) {
        co_return answered.error();
    }
    const redis::replies& got = *answered;
    if (const auto refused = got.first_error(9)) {
        co_return redis::code_for(*refused);
    }
    running_ = got[0].texts();
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
    streams_.clear();
    for (std::size_t i = 0; i < incoming_streams.size(); ++i) {
        streams_[incoming_streams[i].name] = stream_numbers(got[9 + i]);
    }
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
        // They say that the event still runs.
        details_.erase({id, false});
        details_.erase({id, true});
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

}  // namespace tocsin
