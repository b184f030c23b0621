#include "engine/redis/streams.hpp"

#include "engine/redis/error_replies.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tocsin::redis {
namespace {

bool read_number(std::string_view text, std::uint64_t& into) noexcept {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), into);
    return ec == std::errc() && end == text.data() + text.size();
}

/// What is wrong with an answer of another form than was asked for.
redis_errc problem_of(const reply& answer) noexcept {
    return answer.is_error() ? code_for(answer.text()) : redis_errc::unexpected_reply;
}

result<stream_entry> parse_entry(const reply& answer) {
    if (answer.size() != 2 || answer[0].type() != reply_type::string) {
        return redis_errc::unexpected_reply;
    }
    stream_entry entry{std::string(answer[0].text()), false, std::nullopt};
    if (answer[1].is_nil()) {
        entry.deleted = true;
        return entry;
    }
    if (!answer[1].is_array() || answer[1].size() % 2 != 0) {
        return redis_errc::unexpected_reply;
    }
    entry.fields = answer[1];
    return entry;
}

}  // namespace

std::string entry_id::to_string() const {
    return std::to_string(ms) + '-' + std::to_string(sequence);
}

std::optional<entry_id> parse_entry_id(std::string_view text) noexcept {
    const std::size_t dash = text.find('-');
    entry_id id;
    if (dash == std::string_view::npos || !read_number(text.substr(0, dash), id.ms) ||
        !read_number(text.substr(dash + 1), id.sequence)) {
        return std::nullopt;
    }
    return id;
}

std::optional<std::string_view> stream_entry::field(std::string_view name) const noexcept {
    const auto found = fields ? fields->field(name) : std::nullopt;
    return found ? std::optional(found->text()) : std::nullopt;
}

result<std::vector<stream_entry>> parse_entries(const reply& answer) {
    if (!answer.is_array()) {
        return problem_of(answer);
    }
    std::vector<stream_entry> entries;
    entries.reserve(answer.size());
    for (std::size_t i = 0; i < answer.size(); ++i) {
        if (answer[i].is_nil()) {
            continue;  // What Redis 6.2 claims of an entry that no longer exists.
        }
        auto entry = parse_entry(answer[i]);
        if (entry.has_error()) {
            return entry.error();
        }
        entries.push_back(std::move(*entry));
    }
    return entries;
}

result<std::vector<stream_batch>> parse_batches(const reply& answer) {
    std::vector<stream_batch> batches;
    if (answer.is_nil()) {
        return batches;
    }
    if (!answer.is_array()) {
        return problem_of(answer);
    }
    for (std::size_t i = 0; i < answer.size(); ++i) {
        if (answer[i].size() != 2) {
            return redis_errc::unexpected_reply;
        }
        auto entries = parse_entries(answer[i][1]);
        if (entries.has_error()) {
            return entries.error();
        }
        batches.push_back({answer[i][0].text(), std::move(*entries)});
    }
    return batches;
}

result<claimed_entries> parse_claimed(const reply& answer) {
    if (answer.size() < 2 || answer[0].type() != reply_type::string) {
        return problem_of(answer);
    }
    auto entries = parse_entries(answer[1]);
    if (entries.has_error()) {
        return entries.error();
    }
    claimed_entries claimed{std::string(answer[0].text()), std::move(*entries), {}};
    if (answer.size() > 2) {
        claimed.deleted = answer[2].texts();
    }
    return claimed;
}

std::optional<group_state> parse_group(const reply& groups, std::string_view name) {
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const auto called = groups[i].field("name");
        if (!called || called->text() != name) {
            continue;
        }
        const auto number = [&](std::string_view field) {
            const auto value = groups[i].field(field);
            return value ? value->integer() : std::nullopt;
        };
        const auto last = groups[i].field("last-delivered-id");
        return group_state{
            std::string(last ? last->text() : std::string_view()), number("lag"), number("pending")};
    }
    return std::nullopt;
}

request read_group(const group_reader& how, std::span<const std::string> streams, std::string_view from) {
    request read;
    read.begin(7 + (how.block ? 2 : 0) + 2 * streams.size());
    read.append("XREADGROUP").append("GROUP").append(how.group).append(how.consumer);
    read.append("COUNT").append(how.count);
    if (how.block) {
        // To Redis 0 is for ever, which no reply timeout could be told from a dead connection.
        const auto block = std::max(*how.block, std::chrono::milliseconds(1));
        read.append("BLOCK").append(block.count());
        read.expect_delay(block);
    }
    read.append("STREAMS");
    for (const std::string& stream : streams) {
        read.append(stream);
    }
    for (std::size_t i = 0; i < streams.size(); ++i) {
        read.append(from);
    }
    return read;
}

request claim_idle(
    const group_reader& how, std::string_view stream, std::chrono::milliseconds idle,
    std::string_view start) {
    request claim("XAUTOCLAIM", stream, how.group, how.consumer, idle.count(), start, "COUNT", how.count);
    return claim;
}

boost::asio::awaitable<result<>> ensure_group(client& redis, std::string stream, std::string group) {
    request create("XGROUP", "CREATE", stream, group, "0", "MKSTREAM");
    const result<replies> answer = co_await redis.execute(std::move(create));
    if (answer.has_error()) {
        co_return answer.error();
    }
    if (answer->front().is_error() && !answer->front().text().starts_with("BUSYGROUP")) {
        co_return code_for(answer->front().text());
    }
    co_return result<>();
}

boost::asio::awaitable<result<entry_prospect>> prospect_of(
    client& redis, std::string stream, std::string group, std::string entry) {
    request ask;
    ask.add("XRANGE", stream, entry, entry)
        .add("XPENDING", stream, group, entry, entry, 1)
        .add("XINFO", "GROUPS", stream);
    const auto answer = co_await redis.execute(std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const replies& said = *answer;
    if (said[0].is_error() && parse_entry_id(entry)) {
        co_return code_for(said[0].text());
    }
    if (said[0].size() == 0) {
        co_return entry_prospect::over;  // Also if there is no such stream, or another id than a stream's.
    }
    if (said[1].is_error() || said[1].size() != 0) {
        co_return entry_prospect::outstanding;  // A group that is gone begins anew.
    }
    if (said[2].is_error()) {
        co_return code_for(said[2].text());
    }
    const auto read_by = parse_group(said[2], group);
    const auto delivered = read_by ? parse_entry_id(read_by->last_delivered) : std::nullopt;
    const auto wanted = parse_entry_id(entry);
    if (delivered && wanted && *wanted > *delivered) {
        co_return entry_prospect::outstanding;
    }
    co_return entry_prospect::over;
}

}  // namespace tocsin::redis
