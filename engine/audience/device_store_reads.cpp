#include "engine/audience/device_store.hpp"
#include "engine/audience/roster_codec.hpp"
#include "engine/core/digest.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/error.hpp"
#include "engine/redis/error_replies.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using redis::redis_errc;

constexpr std::size_t buckets_per_read = 512;
constexpr std::uint32_t buckets_of_members = 32;

}  // namespace

asio::awaitable<result<redis::replies>> device_store::ask(redis::request what) {
    if (what.empty()) {
        co_return redis::replies();
    }
    auto answer = co_await redis_.execute(std::move(what));
    co_return redis::checked(std::move(answer));
}

asio::awaitable<result<redis::replies>> device_store::ask_each(redis::request what) {
    if (what.empty()) {
        co_return redis::replies();
    }
    auto answer = co_await redis_.execute(std::move(what));
    for (std::size_t i = 0; answer.has_value() && i < answer->size(); ++i) {
        const redis::reply one = (*answer)[i];
        if (one.is_error() && redis::code_for(one.text()) != redis_errc::damaged) {
            co_return redis::code_for(one.text());
        }
    }
    co_return answer;
}

asio::awaitable<result<std::optional<roster_head>>> device_store::stored_head(
    std::string app, std::string field) {
    redis::request what("HGET", keys_.rosters(app), field);
    const auto answer = co_await ask(std::move(what));
    if (answer.has_error()) {
        co_return answer.error();
    }
    auto head = decode_roster_head(answer->front().text());
    if (!head && !answer->front().is_nil()) {
        co_return redis_errc::damaged;
    }
    co_return head;
}

asio::awaitable<result<std::vector<bool>>> device_store::registered(
    std::string app, platform where, std::vector<std::string> tokens) {
    std::vector<bool> out(tokens.size(), false);
    const auto head = co_await stored_head(app, "index");
    if (head.has_error()) {
        co_return head.error();
    }
    const std::optional<roster_head>& index = *head;
    if (!index || tokens.empty()) {
        co_return out;
    }
    redis::request what;
    for (const std::string& token : tokens) {
        const token_hash hash = hash_token(token);
        what.add("HEXISTS", keys_.index_bucket(app, where, hash.bucket(index->buckets)), hash.view());
    }
    const auto answer = co_await ask_each(std::move(what));
    if (answer.has_error()) {
        co_return answer.error();
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = (*answer)[i].is_error() || (*answer)[i].integer() == 1;
    }
    co_return out;
}

asio::awaitable<result<std::optional<device_store::found>>> device_store::find(
    std::string app, platform where, std::string token) {
    std::vector<std::string> tokens{std::move(token)};
    auto all = co_await find_all(std::move(app), where, std::move(tokens));
    if (all.has_error()) {
        co_return all.error();
    }
    co_return std::move(all->front());
}

asio::awaitable<result<std::vector<std::optional<device_store::found>>>> device_store::find_all(
    std::string app, platform where, std::vector<std::string> tokens) {
    std::vector<token_hash> hashes;
    for (const std::string& token : tokens) {
        hashes.push_back(hash_token(token));
    }
    auto out = co_await find_hashed(std::move(app), where, std::move(hashes));
    for (std::size_t i = 0; out.has_value() && i < tokens.size(); ++i) {
        if ((*out)[i] && (*out)[i]->which.token != tokens[i]) {
            (*out)[i].reset();  // Another token stands in its place.
        }
    }
    co_return out;
}

asio::awaitable<result<std::vector<std::optional<device_store::found>>>> device_store::find_hashed(
    std::string app, platform where, std::vector<token_hash> hashes) {
    auto out = co_await look_up(std::move(app), where, std::move(hashes));
    if (out.has_error()) {
        co_return out.error();
    }
    if (!out->damaged.empty()) {
        co_return redis_errc::damaged;
    }
    co_return std::move(out->devices);
}

asio::awaitable<result<device_store::looked_up>> device_store::look_up(
    std::string app, platform where, std::vector<token_hash> hashes) {
    looked_up out;
    out.devices.resize(hashes.size());
    const auto head = co_await stored_head(app, "index");
    if (head.has_error()) {
        co_return head.error();
    }
    if (!*head || hashes.empty()) {
        co_return out;
    }
    redis::request ask_index;
    for (const token_hash& hash : hashes) {
        ask_index.add("HGET", keys_.index_bucket(app, where, hash.bucket((*head)->buckets)), hash.view());
    }
    const auto follows = co_await ask_each(std::move(ask_index));
    if (follows.has_error()) {
        co_return follows.error();
    }
    std::vector<indexed> known;
    for (std::size_t i = 0; i < hashes.size(); ++i) {
        const redis::reply said = (*follows)[i];
        const auto follow = said.is_error() ? std::nullopt : decode_follows(said.text());
        if (!follow) {
            out.damaged.push_back(i);
        } else if (!follow->empty()) {
            known.push_back({i, hashes[i], follow->front()});
        }
    }
    if (const auto read = co_await read_records(std::move(app), where, known, out); read.has_error()) {
        co_return read.error();
    }
    co_return out;
}

/// Where each stands that is registered: in the roster of the first territory that it follows.
asio::awaitable<result<>> device_store::read_records(
    std::string app, platform where, const std::vector<indexed>& known, looked_up& into) {
    if (known.empty()) {
        co_return result<>();
    }
    redis::request ask_heads;
    ask_heads.begin(2 + known.size()).append("HMGET").append(keys_.rosters(app));
    for (const indexed& one : known) {
        ask_heads.append(roster_head_field(where, one.first));
    }
    const auto heads = co_await ask(std::move(ask_heads));
    if (heads.has_error()) {
        co_return heads.error();
    }
    redis::request read;
    std::vector<const indexed*> asked;
    for (std::size_t k = 0; k < known.size(); ++k) {
        const indexed& one = known[k];
        const auto head = decode_roster_head(heads->front()[k].text());
        if (!head) {
            into.damaged.push_back(one.place);
            continue;
        }
        asked.push_back(&one);
        read.add(
            "HGET",
            keys_.roster_bucket(
                app, where, to_string(one.first), head->generation, one.hash.bucket(head->buckets)),
            one.hash.within_bucket());
    }
    const auto records = co_await ask_each(std::move(read));
    if (records.has_error()) {
        co_return records.error();
    }
    for (std::size_t r = 0; r < asked.size(); ++r) {
        const redis::reply said = (*records)[r];
        if (said.is_error()) {
            into.damaged.push_back(asked[r]->place);
            continue;
        }
        const auto record = decode_roster_record(said.text(), beginnings_on(where));
        auto which =
            record ? decode_device(record->token.whole(), record->entry, asked[r]->first) : std::nullopt;
        // Else it changed between two reads, or another token stands in its place.
        if (which && hash_token(which->token) == asked[r]->hash) {
            into.devices[asked[r]->place] = found{std::move(*which), std::string(record->entry)};
        }
    }
    co_return result<>();
}

asio::awaitable<result<device_store::roster_list>> device_store::rosters_of(
    std::string app, platform on, std::vector<territory> where) {
    roster_list out;
    if (where.empty()) {
        co_return out;
    }
    redis::request what;
    what.begin(2 + where.size()).append("HMGET").append(keys_.rosters(app));
    for (const territory& which : where) {
        what.append(roster_head_field(on, which));
    }
    const auto answer = co_await ask(std::move(what));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const redis::reply values = answer->front();
    if (values.size() != where.size()) {
        co_return redis_errc::unexpected_reply;
    }
    for (std::size_t i = 0; i < where.size(); ++i) {
        if (const auto head = decode_roster_head(values[i].text())) {
            out.rosters.push_back({std::move(where[i]), *head});
        } else if (!values[i].is_nil()) {
            out.damaged.push_back(roster_head_field(on, where[i]));
        }
    }
    co_return out;
}

asio::awaitable<result<device_store::roster_list>> device_store::all_rosters(std::string app, platform on) {
    redis::request what("HGETALL", keys_.rosters(app));
    const auto answer = co_await ask(std::move(what));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const redis::reply fields = answer->front();
    roster_list out;
    const std::string prefix = std::string(to_string(on)) + ":";
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        const std::string_view name = fields[i].text();
        if (!name.starts_with(prefix)) {
            continue;
        }
        auto where = parse_territory(name.substr(prefix.size()));
        const auto head = decode_roster_head(fields[i + 1].text());
        if (where && head) {
            out.rosters.push_back({std::move(*where), *head});
        } else {
            out.damaged.emplace_back(name);
        }
    }
    std::ranges::sort(out.rosters, {}, &roster::where);
    co_return out;
}

asio::awaitable<result<std::uint64_t>> device_store::count(std::string app, platform on) {
    const auto head = co_await stored_head(app, "index");
    if (head.has_error()) {
        co_return head.error();
    }
    const std::optional<roster_head>& index = *head;
    std::uint64_t total = 0;
    for (std::uint32_t from = 0; index && from < index->buckets; from += buckets_per_read) {
        redis::request what;
        for (std::uint32_t b = from; b < std::min<std::uint32_t>(from + buckets_per_read, index->buckets);
             ++b) {
            what.add("HLEN", keys_.index_bucket(app, on, b));
        }
        const auto answer = co_await ask(std::move(what));
        if (answer.has_error()) {
            co_return answer.error();
        }
        for (std::size_t i = 0; i < answer->size(); ++i) {
            total += static_cast<std::uint64_t>((*answer)[i].integer().value_or(0));
        }
    }
    co_return total;
}

asio::awaitable<result<device_store::member_list>> device_store::members(
    std::string app, platform on, roster from, std::uint32_t first, std::uint32_t end) {
    const std::string name = to_string(from.where);
    redis::request what;
    for (std::uint32_t b = first; b < end; ++b) {
        what.add("HVALS", keys_.roster_bucket(app, on, name, from.head.generation, b));
    }
    const auto answer = co_await ask(std::move(what));
    if (answer.has_error()) {
        co_return answer.error();
    }
    member_list out;
    for (std::size_t i = 0; i < answer->size(); ++i) {
        const redis::reply records = (*answer)[i];
        for (std::size_t j = 0; j < records.size(); ++j) {
            const auto record = decode_roster_record(records[j].text(), beginnings_on(on));
            auto which =
                record ? decode_device(record->token.whole(), record->entry, from.where) : std::nullopt;
            if (which) {
                out.devices.push_back({std::move(*which), std::string(record->entry)});
            } else {
                ++out.unread;
            }
        }
    }
    co_return out;
}

asio::awaitable<result<std::vector<device_store::roster_size>>> device_store::followers_outside(
    std::string app, platform on, std::function<bool(commune_id)> there_is) {
    const auto rosters = co_await all_rosters(app, on);
    if (rosters.has_error()) {
        co_return rosters.error();
    }
    std::vector<roster_size> out;
    for (const roster& one : rosters->rosters) {
        if (there_is(one.where.commune)) {
            continue;
        }
        const std::string name = to_string(one.where);
        redis::request what;
        for (std::uint32_t b = 0; b < one.head.buckets; ++b) {
            what.add("HLEN", keys_.roster_bucket(app, on, name, one.head.generation, b));
        }
        const auto answer = co_await ask(std::move(what));
        if (answer.has_error()) {
            co_return answer.error();
        }
        roster_size here{.where = one.where};
        for (std::size_t i = 0; i < answer->size(); ++i) {
            here.devices += static_cast<std::uint64_t>((*answer)[i].integer().value_or(0));
        }
        if (here.devices != 0) {
            out.push_back(std::move(here));
        }
    }
    co_return out;
}

asio::awaitable<result<std::uint64_t>> device_store::for_each(
    std::string app, platform on, std::function<void(const device&)> visit) {
    const auto rosters = co_await all_rosters(app, on);
    if (rosters.has_error()) {
        co_return rosters.error();
    }
    std::uint64_t unread = rosters->damaged.size();
    for (const roster& one : rosters->rosters) {
        for (std::uint32_t from = 0; from < one.head.buckets; from += buckets_of_members) {
            const std::uint32_t end = std::min(from + buckets_of_members, one.head.buckets);
            const auto here = co_await members(app, on, one, from, end);
            if (here.has_error()) {
                co_return here.error();
            }
            unread += here->unread;
            for (const found& each : here->devices) {
                // A device stands in the roster of everything it follows; the first one counts.
                if (each.which.follow.front() == one.where) {
                    visit(each.which);
                }
            }
        }
    }
    co_return unread;
}

}  // namespace tocsin
