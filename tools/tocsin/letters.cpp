#include "tools/tocsin/letters.hpp"

#include "engine/core/json_members.hpp"
#include "engine/core/text.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/streams.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::size_t page = 500;
/// A letter is younger than its entry, but on a cluster another node's clock may have named it.
constexpr std::uint64_t clocks_may_differ_ms = 60'000;

letter read_letter(const redis::stream_entry& entry) {
    letter out;
    out.id = entry.id;
    if (const auto document = parse_object(entry.field("letter").value_or(""))) {
        out.stream = text_at(*document, "stream");
        out.entry = text_at(*document, "entry");
        out.reason = text_at(*document, "reason");
        out.payload = text_at(*document, "payload");
        const auto raw = from_base64url(text_at(*document, "payload_base64url"));
        if (raw && !raw->empty()) {
            out.payload = *raw;
        }
        out.is_cut = document->contains("payload_bytes");
    }
    return out;
}

asio::awaitable<result<std::vector<letter>>> ask_for(redis_session& redis, redis::request ask) {
    const auto checked = co_await redis::execute_checked(redis.redis(), std::move(ask));
    if (checked.has_error()) {
        co_return checked.error();
    }
    std::vector<letter> out;
    for (std::size_t i = 0; i < checked->size(); ++i) {
        const auto entries = redis::parse_entries((*checked)[i]);
        if (entries.has_error()) {
            co_return entries.error();
        }
        std::ranges::transform(*entries, std::back_inserter(out), read_letter);
    }
    co_return out;
}

/// Before which letter need not be looked for the one of `entry`.
std::string first_letter_for(std::string_view entry) {
    const auto id = redis::parse_entry_id(entry);
    if (!id) {
        return "-";
    }
    return redis::entry_id{id->ms - std::min(id->ms, clocks_may_differ_ms), 0}.to_string();
}

}  // namespace

bool letter::is_about_event(std::string_view event) const {
    const auto document = parse_object(payload);
    const std::string_view named = document ? text_at(*document, "id") : std::string_view();
    return (named.empty() ? std::string_view(entry) : named) == event;
}

asio::awaitable<result<std::vector<letter>>> newest_letters(redis_session& redis, std::size_t limit) {
    redis::request ask("XREVRANGE", redis.keys().dead_letters(), "+", "-", "COUNT", limit);
    co_return co_await ask_for(redis, std::move(ask));
}

asio::awaitable<result<std::vector<letter>>> letter_reader::next() {
    redis::request ask("XRANGE", redis_.keys().dead_letters(), from_, "+", "COUNT", page);
    auto letters = co_await ask_for(redis_, std::move(ask));
    if (letters.has_value() && !letters->empty()) {
        from_ = "(" + letters->back().id;
    }
    co_return letters;
}

refusal_search::refusal_search(redis_session& redis, std::string event, std::string entry)
    : redis_(redis),
      event_(std::move(event)),
      entry_(std::move(entry)),
      letters_(redis, first_letter_for(entry_)) {}

bool refusal_search::is_it(const letter& one) const {
    return one.stream == redis_.keys().events() &&
           (entry_.empty() ? one.is_about_event(event_) : one.entry == entry_);
}

asio::awaitable<result<std::optional<letter>>> refusal_search::look() {
    for (;;) {
        auto page_of_letters = co_await letters_.next();
        if (page_of_letters.has_error()) {
            co_return page_of_letters.error();
        }
        if (page_of_letters->empty()) {
            co_return found_;
        }
        for (letter& one : *page_of_letters) {
            if (is_it(one)) {
                found_ = std::move(one);
            }
        }
    }
}

asio::awaitable<result<found_letters>> find_letters(redis_session& redis, std::vector<std::string> ids) {
    std::ranges::sort(ids);
    const auto repeated = std::ranges::unique(ids);
    ids.erase(repeated.begin(), repeated.end());
    const auto asked_for = [&](const std::string& id) { return std::ranges::binary_search(ids, id); };
    found_letters out;
    if (ids.empty()) {
        co_return out;
    }
    redis::request ask;
    for (const std::string& id : ids) {
        ask.add("XRANGE", redis.keys().dead_letters(), id, id);
    }
    auto own = co_await ask_for(redis, std::move(ask));
    if (own.has_error()) {
        co_return own.error();
    }
    out.letters = std::move(*own);
    // Also for an id that a letter has: an entry and a letter that were added in one millisecond share it.
    letter_reader all(redis, first_letter_for(*std::ranges::min_element(ids, {}, redis::parse_entry_id)));
    for (;;) {
        auto letters = co_await all.next();
        if (letters.has_error()) {
            co_return letters.error();
        }
        if (letters->empty()) {
            break;
        }
        std::ranges::copy_if(*letters, std::back_inserter(out.letters), [&](const letter& one) {
            return asked_for(one.entry) && !asked_for(one.id);
        });
    }
    for (const std::string& id : ids) {
        const bool is_own = std::ranges::find(out.letters, id, &letter::id) != out.letters.end();
        const bool is_entry = std::ranges::find(out.letters, id, &letter::entry) != out.letters.end();
        const auto meant_perhaps = std::ranges::find_if(
            out.letters, [&](const letter& one) { return one.entry == id && !asked_for(one.id); });
        if (is_own && meant_perhaps != out.letters.end()) {
            out.ambiguous.emplace_back(id, meant_perhaps->id);
        } else if (!is_own && !is_entry) {
            out.missing.push_back(id);
        }
    }
    co_return out;
}

}  // namespace tocsin::cli
