#include "engine/control/unread_entry.hpp"

#include "engine/core/json_members.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/error.hpp"
#include "engine/redis/error_replies.hpp"
#include "engine/redis/streams.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

// A document may have 256 KiB.
constexpr int entries_per_read = 100;

bool is_of(const redis::stream_entry& entry, const std::string& event) {
    const std::string_view document = entry.field("event").value_or("");
    const bool is_its_entry = entry.id == event;
    if (!is_its_entry && document.find(event) == std::string_view::npos) {
        return false;  // Most are others, and parsing costs more than looking.
    }
    const auto fields = parse_object(document);
    if (!fields || !fields->contains("id")) {
        return is_its_entry;  // An event without an id has that of its entry.
    }
    return fields->at("id").is_string() && text_at(*fields, "id") == event;
}

result<unread_entry> look_through(const redis::reply& answer, const std::string& event, std::string* last) {
    const auto entries = redis::parse_entries(answer);
    if (entries.has_error()) {
        return entries.error();
    }
    if (last != nullptr) {
        *last = entries->empty() ? std::string() : entries->back().id;
    }
    const bool found = std::ranges::any_of(*entries, [&](const auto& one) { return is_of(one, event); });
    return found ? unread_entry::there : unread_entry::none;
}

/// What engines have read up to; empty: there is no stream.
asio::awaitable<result<std::string>> read_up_to(redis::client& redis, const keyspace& keys) {
    redis::request ask("XINFO", "GROUPS", keys.events());
    auto answered = co_await redis.execute(std::move(ask));
    if (answered.has_error()) {
        co_return answered.error();
    }
    if (answered->front().is_error() && answered->front().text().starts_with("ERR no such key")) {
        co_return std::string();
    }
    if (answered->front().is_error()) {
        co_return redis::code_for(answered->front().text());
    }
    auto group = redis::parse_group(answered->front(), keyspace::group);
    co_return group ? std::move(group->last_delivered) : std::string("0-0");
}

/// What engines have read and not acknowledged, from `after` on; moves `after` to the last of them, or
/// empties it behind the end.
asio::awaitable<result<unread_entry>> look_through_pending(
    redis::client& redis, const keyspace& keys, std::string event, std::string& after) {
    redis::request ask("XPENDING", keys.events(), keyspace::group, after, "+", entries_per_read);
    auto answered = co_await redis.execute(std::move(ask));
    if (answered.has_error()) {
        co_return answered.error();
    }
    after.clear();
    const redis::reply pending = answered->front();
    const bool no_group = pending.is_error() && pending.text().starts_with("NOGROUP");
    if (no_group || (!pending.is_error() && pending.size() == 0)) {
        co_return unread_entry::none;
    }
    if (pending.is_error()) {
        co_return redis::code_for(pending.text());
    }
    redis::request each;
    for (std::size_t i = 0; i < pending.size(); ++i) {
        const std::string_view id = pending[i][0].text();
        each.add("XRANGE", keys.events(), id, id);
        after = "(" + std::string(id);
    }
    const auto found = co_await redis::execute_checked(redis, std::move(each));
    if (found.has_error()) {
        co_return found.error();
    }
    for (std::size_t i = 0; i < found->size(); ++i) {
        const auto one = look_through((*found)[i], event, nullptr);
        if (one.has_error() || *one == unread_entry::there) {
            co_return one;
        }
    }
    co_return unread_entry::none;
}

}  // namespace

asio::awaitable<result<unread_entry>> stands_unread(
    redis::client& redis, const keyspace& keys, std::string event) {
    auto from = co_await read_up_to(redis, keys);
    if (from.has_error()) {
        co_return from.error();
    }
    // First what is unread: what is read meanwhile is pending afterwards.
    std::string after = std::move(*from);
    while (!after.empty()) {
        redis::request ask("XRANGE", keys.events(), "(" + after, "+", "COUNT", entries_per_read);
        const auto answer = co_await redis::execute_checked(redis, std::move(ask));
        if (answer.has_error()) {
            co_return answer.error();
        }
        const auto found = look_through(answer->front(), event, &after);
        if (found.has_error() || *found == unread_entry::there) {
            co_return found;
        }
    }
    after = "-";
    while (!after.empty()) {
        const auto found = co_await look_through_pending(redis, keys, event, after);
        if (found.has_error() || *found == unread_entry::there) {
            co_return found;
        }
    }
    co_return unread_entry::none;
}

}  // namespace tocsin
