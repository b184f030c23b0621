#include "engine/plan/ledger.hpp"

#include "engine/core/varint.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/plan/ledger_scripts.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/error.hpp"

#include <boost/json/parse.hpp>

#include <charconv>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using redis::redis_errc;

std::uint64_t to_number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::int64_t to_ms(wall_time when) noexcept {
    return when.time_since_epoch().count();
}

// Orders by urgency first and age second, in the 53 bits that a score keeps exactly.
std::string running_score(priority urgency, wall_time at) {
    return std::to_string(static_cast<std::int64_t>(urgency) * 10'000'000'000'000 + to_ms(at));
}

/// The field of a stream entry's flat list, or nothing.
std::optional<std::string_view> field_of(const redis::reply& fields, std::string_view name) {
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        if (fields[i].text() == name) {
            return fields[i + 1].text();
        }
    }
    return std::nullopt;
}

}  // namespace

namespace {

std::optional<shard> read_shard(std::string_view page, std::string_view kind, std::string_view bytes) {
    shard out;
    out.first_page = static_cast<std::uint32_t>(to_number(page));
    const auto take = [](auto& into, auto decoded) {
        if (decoded) {
            into = std::move(*decoded);
        }
        return decoded.has_value();
    };
    const bool sound = kind == "runs"      ? take(out.runs, decode_runs(bytes))
                       : kind == "devices" ? take(out.devices, decode_listed(bytes))
                       : kind == "hashes"  ? take(out.hashed, decode_hashed(bytes))
                                           : false;
    return sound ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

std::optional<shard> parse_shard(const redis::reply& fields) {
    const auto page = field_of(fields, "page");
    for (const std::string_view kind : {"runs", "devices", "hashes"}) {
        if (const auto bytes = page ? field_of(fields, kind) : std::nullopt) {
            return read_shard(*page, kind, *bytes);
        }
    }
    return std::nullopt;
}

std::optional<shard> parse_waiting_shard(std::string_view member) {
    const std::size_t first = member.find(':');
    const std::size_t second = first == member.npos ? first : member.find(':', first + 1);
    if (second == member.npos) {
        return std::nullopt;
    }
    return read_shard(
        member.substr(0, first), member.substr(first + 1, second - first - 1), member.substr(second + 1));
}

namespace {

// A score that no time of the day reaches.
constexpr std::int64_t late_base = 100'000'000'000'000;
// Each stands for some tens of devices.
constexpr std::size_t late_names_per_page = 16;

/// What a shard holds, and how that is written.
std::pair<std::string_view, std::string> written(const shard& piece) {
    if (!piece.hashed.empty()) {
        return {"hashes", encode_hashed(piece.hashed)};
    }
    if (piece.devices.empty()) {
        return {"runs", encode_runs(piece.runs)};
    }
    std::string bytes;
    for (const listed_device& device : piece.devices) {
        bytes += encode_listed(device);
    }
    return {"devices", std::move(bytes)};
}

/// What a page adds to its event, for the scripts that do so.
void append_sums(std::vector<std::string>& into, page_settlement& what) {
    into.push_back(std::to_string(what.increments.size()));
    for (const auto& [field, amount] : what.increments) {
        into.push_back(field);
        into.push_back(std::to_string(amount));
    }
    into.push_back(std::to_string(what.parked.size()));
    for (auto& [due, member] : what.parked) {
        into.push_back(std::to_string(due));
        into.push_back(std::move(member));
    }
    into.push_back(std::to_string(what.dead.size()));
    for (auto& [member, reason] : what.dead) {
        into.push_back(std::move(member));
        into.push_back(std::move(reason));
    }
}

result<settle_answer> read_settled(const redis::reply& parts) {
    if (parts.size() != 3) {
        return redis_errc::unexpected_reply;
    }
    settle_answer out;
    out.repeated = parts[0].integer() == 1;
    out.drained = parts[1].integer() == 1;
    out.state = parts[2].text();
    return out;
}

/// What a result document says of the end of its event.
struct ending {
    std::string state = "finished";
    std::optional<std::int64_t> at;
};

ending ending_in(std::string_view document) {
    ending out;
    error_code ec;
    const auto value = boost::json::parse(document, ec);
    const auto* const object = ec ? nullptr : value.if_object();
    if (object == nullptr) {
        return out;
    }
    if (const auto* const state = object->if_contains("state"); state != nullptr && state->is_string()) {
        out.state = state->as_string();
    }
    if (const auto* const at = object->if_contains("finished_at"); at != nullptr && at->is_int64()) {
        out.at = at->as_int64();
    }
    return out;
}

asio::awaitable<result<redis::replies>> run(redis::client& redis, redis::request what) {
    auto answer = co_await redis.execute(std::move(what));
    co_return redis::checked(std::move(answer));
}

}  // namespace

std::int64_t late_score(wall_time due) noexcept {
    return late_base + to_ms(due);
}

void ask_to_open(redis::request& into, const keyspace& keys, std::string_view event, std::uint32_t page) {
    const std::vector<std::string> where{keys.ledger(event), keys.opened(event), keys.settled(event)};
    const std::vector<std::string> which{std::to_string(page)};
    into.add_script(ledger_scripts::open, where, which);
}

page_state read_opening(const redis::reply& answer) noexcept {
    return answer.size() == 2 && answer[1].integer() == 1 ? page_state::settled : page_state::opened;
}

asio::awaitable<result<plan_outcome>> ledger::plan(const event_plan& what, std::string state) {
    std::vector<std::string> keys{
        keys_.ledger(what.event), keys_.called_off(what.event), keys_.opened(what.event),
        keys_.settled(what.event), keys_.dead(what.event)};
    std::vector<std::string> arguments{std::string(keys_.group), what.entry, state};
    arguments.push_back(std::to_string(what.fields.size() + 1));
    for (const auto& [name, value] : what.fields) {
        arguments.push_back(name);
        arguments.push_back(value);
    }
    arguments.emplace_back("pages");
    arguments.push_back(std::to_string(what.pages));
    for (const auto& one : what.targets) {
        const std::string name = to_string(one.which);
        keys.push_back(keys_.shards(what.event, name));
        keys.push_back(keys_.parked(what.event, name));
        keys.push_back(keys_.waiting(what.event, name));
        arguments.push_back(std::to_string(one.shards.size()));
        for (const shard& piece : one.shards) {
            auto [kind, bytes] = written(piece);
            arguments.emplace_back(kind);
            arguments.push_back(std::to_string(piece.first_page));
            arguments.push_back(std::move(bytes));
            const wall_time due = what.when.due(piece.first_page);
            arguments.push_back(due == wall_time{} ? std::string() : std::to_string(to_ms(due)));
        }
    }
    redis::request ask;
    ask.add_script(ledger_scripts::plan, keys, arguments);
    const auto answer = co_await run(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const std::string_view word = answer->front().text();
    if (word == "damaged" || word == "called_off") {
        co_return word == "damaged" ? plan_outcome::damaged : plan_outcome::called_off;
    }
    co_return word == "created" ? plan_outcome::created
                                : (word == "exists" ? plan_outcome::exists : plan_outcome::duplicate);
}

asio::awaitable<result<>> ledger::move(
    std::string event, std::string into, std::string score, std::string out_of, std::string entry) {
    redis::request join;
    join.add("ZADD", into, score, event);
    const auto joined = co_await run(redis_, std::move(join));
    if (joined.has_error()) {
        co_return joined.error();
    }
    // Only now: whoever dies before this is followed by somebody who reads the entry again.
    redis::request leave;
    if (!out_of.empty()) {
        leave.add("ZREM", out_of, event);
    }
    if (!entry.empty()) {
        leave.add("XACK", keys_.events(), keys_.group, entry);
    }
    const auto left = co_await run(redis_, std::move(leave));
    co_return left.has_error() ? result<>(left.error()) : result<>();
}

asio::awaitable<result<>> ledger::activate(
    std::string event, std::string entry, priority urgency, wall_time at) {
    return move(
        std::move(event), keys_.running(), running_score(urgency, at), keys_.scheduled(), std::move(entry));
}

asio::awaitable<result<>> ledger::schedule(std::string event, std::string entry, wall_time due) {
    // Out of nothing: if it is among the running ones by now, it was cancelled meanwhile, and has to be
    // ended.
    return move(std::move(event), keys_.scheduled(), std::to_string(to_ms(due)), {}, std::move(entry));
}

asio::awaitable<result<>> ledger::activate_scheduled(std::string event, priority urgency, wall_time at) {
    return activate(std::move(event), "", urgency, at);
}

asio::awaitable<result<std::vector<std::string>>> ledger::due_events(wall_time now, std::size_t at_most) {
    redis::request ask;
    ask.add("ZRANGEBYSCORE", keys_.scheduled(), "-inf", to_ms(now), "LIMIT", 0, at_most);
    const auto answer = co_await run(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    std::vector<std::string> out;
    for (std::size_t i = 0; i < answer->front().size(); ++i) {
        out.emplace_back(answer->front()[i].text());
    }
    co_return out;
}

asio::awaitable<result<>> ledger::postpone(std::string event, wall_time until) {
    redis::request ask;
    ask.add("ZADD", keys_.scheduled(), "XX", to_ms(until), event);
    const auto answer = co_await run(redis_, std::move(ask));
    co_return answer.has_error() ? result<>(answer.error()) : result<>();
}

asio::awaitable<result<>> ledger::acknowledge(std::string stream, std::string entry) {
    redis::request ask;
    ask.add("XACK", stream, keys_.group, entry);
    const auto answer = co_await run(redis_, std::move(ask));
    co_return answer.has_error() ? result<>(answer.error()) : result<>();
}

asio::awaitable<result<std::vector<std::string>>> ledger::running(std::size_t limit) {
    redis::request ask;
    ask.add("ZRANGE", keys_.running(), 0, limit - 1);
    const auto answer = co_await run(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    std::vector<std::string> out;
    for (std::size_t i = 0; i < answer->front().size(); ++i) {
        out.emplace_back(answer->front()[i].text());
    }
    co_return out;
}

asio::awaitable<result<ledger_fields>> ledger::read(std::string event) {
    redis::request ask;
    ask.add("HGETALL", keys_.ledger(event));
    const auto answer = co_await run(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    ledger_fields out;
    const redis::reply fields = answer->front();
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        out.emplace(fields[i].text(), fields[i + 1].text());
    }
    co_return out;
}

asio::awaitable<result<claim_answer>> ledger::claim(
    std::string event, target which, claim_terms how, wall_time now) {
    const std::string name = to_string(which);
    const std::vector<std::string> keys{
        keys_.ledger(event), keys_.shards(event, name), keys_.parked(event, name),
        keys_.waiting(event, name)};
    const std::vector<std::string> arguments{
        std::string(keys_.group),
        consumer_,
        std::to_string(to_ms(now)),
        std::to_string(how.lease.count()),
        std::to_string(how.limit),
        how.own ? "1" : "0",
        std::to_string(devices_per_page),
        std::to_string(how.most_takeovers),
        std::to_string(to_ms(now + how.ahead)),
        std::to_string(how.engines),
        std::to_string(late_base),
        std::to_string(late_names_per_page)};
    redis::request ask;
    ask.add_script(ledger_scripts::claim, keys, arguments);
    const auto answer = co_await run(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const redis::reply parts = answer->front();
    if (parts.size() != 9) {
        co_return redis_errc::unexpected_reply;
    }
    claim_answer out;
    out.damaged = parts[7].text();
    if (const std::string_view until = parts[8].text(); !until.empty()) {
        out.rests_until = wall_time(std::chrono::milliseconds(to_number(until)));
    }
    const std::uint64_t free_page = to_number(parts[6].text());
    out.left_to_others = static_cast<std::uint64_t>(parts[5].integer().value_or(0));
    for (std::size_t i = 0; i < parts[4].size(); ++i) {
        out.poison.emplace_back(parts[4][i].text());
    }
    out.state = parts[0].text();
    out.open = to_number(parts[1].text());
    out.parked = to_number(parts[2].text());
    const redis::reply entries = parts[3];
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const redis::reply entry = entries[i];
        if (entry.size() != 2) {
            co_return redis_errc::unexpected_reply;
        }
        auto work = parse_shard(entry[1]);
        if (work && std::uint64_t{work->first_page} + page_count(*work) <= free_page) {
            out.shards.push_back({std::string(entry[0].text()), std::move(*work)});
        } else {
            out.unreadable.emplace_back(entry[0].text());
        }
    }
    co_return out;
}

asio::awaitable<result<>> ledger::renew(std::string event, target which, std::vector<std::string> entries) {
    if (entries.empty()) {
        co_return result<>();
    }
    redis::request ask;
    ask.begin(6 + entries.size());
    ask.append("XCLAIM").append(keys_.shards(event, to_string(which))).append(keys_.group).append(consumer_);
    ask.append("0");
    for (const std::string& entry : entries) {
        ask.append(entry);
    }
    ask.append("JUSTID");
    // That the stream is gone is no failure: the others have ended the event.
    const auto answer = co_await redis_.execute(std::move(ask));
    co_return answer.has_error() ? result<>(answer.error()) : result<>();
}

asio::awaitable<result<>> ledger::release(std::string event, target which, std::string entry) {
    const std::vector<std::string> keys{keys_.shards(event, to_string(which))};
    const std::vector<std::string> arguments{std::string(keys_.group), std::move(entry)};
    redis::request ask;
    ask.add_script(ledger_scripts::release, keys, arguments);
    const auto answer = co_await run(redis_, std::move(ask));
    co_return answer.has_error() ? result<>(answer.error()) : result<>();
}

asio::awaitable<result<remaining_work>> ledger::complete(
    std::string event, target which, std::string entry, shard_end how) {
    const std::vector<std::string> keys{keys_.ledger(event), keys_.shards(event, to_string(which))};
    const std::vector<std::string> arguments{
        std::string(keys_.group), std::move(entry), how == shard_end::aside ? "1" : "0"};
    redis::request ask;
    ask.add_script(ledger_scripts::complete, keys, arguments);
    const auto answer = co_await run(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    co_return answer->front().integer() == 1 ? remaining_work::none : remaining_work::some;
}

asio::awaitable<result<settle_answer>> ledger::settle(page_settlement what) {
    const std::string name = to_string(what.which);
    const std::vector<std::string> keys{keys_.ledger(what.event),       keys_.settled(what.event),
                                        keys_.dead(what.event),         keys_.shards(what.event, name),
                                        keys_.parked(what.event, name), keys_.opened(what.event),
                                        keys_.reached(what.event, name)};
    std::vector<std::string> arguments{std::string(keys_.group),    consumer_,
                                       std::to_string(what.page),   what.shard_entry,
                                       what.shard_done ? "1" : "0", std::to_string(what.devices)};
    append_sums(arguments, what);
    arguments.push_back(std::move(what.reached));
    arguments.push_back(std::move(what.others));
    arguments.push_back(std::to_string(what.remember_for.count()));
    redis::request ask;
    ask.add_script(ledger_scripts::settle, keys, arguments);
    const auto answer = co_await run(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    co_return read_settled(answer->front());
}

asio::awaitable<result<settle_answer>> ledger::amend(page_settlement what) {
    const std::vector<std::string> keys{
        keys_.ledger(what.event), keys_.dead(what.event), keys_.parked(what.event, to_string(what.which))};
    std::vector<std::string> arguments{std::move(what.late)};
    append_sums(arguments, what);
    redis::request ask;
    ask.add_script(ledger_scripts::amend, keys, arguments);
    const auto answer = co_await run(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    co_return read_settled(answer->front());
}

asio::awaitable<result<>> ledger::renew_late(
    std::string event, target which, std::vector<std::string> late, wall_time due) {
    const std::string score = std::to_string(late_score(due));
    redis::request ask;
    ask.begin(3 + 2 * late.size());
    ask.append("ZADD").append(keys_.parked(event, to_string(which))).append("XX");
    for (const std::string& name : late) {
        ask.append(score).append(name);
    }
    // That the set is gone is no failure: the others have ended the event.
    const auto answer = co_await redis_.execute(std::move(ask));
    co_return answer.has_error() ? result<>(answer.error()) : result<>();
}

asio::awaitable<result<std::vector<std::pair<std::string, std::string>>>> ledger::dead(std::string event) {
    redis::request ask;
    ask.add("HGETALL", keys_.dead(event));
    const auto answer = co_await run(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    std::vector<std::pair<std::string, std::string>> out;
    const redis::reply fields = answer->front();
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        out.emplace_back(fields[i].text(), fields[i + 1].text());
    }
    co_return out;
}

std::vector<std::string> ledger::keys_of(std::string_view event, const std::vector<target>& targets) const {
    std::vector<std::string> out{
        keys_.ledger(event), keys_.opened(event), keys_.settled(event), keys_.dead(event)};
    for (const target& which : targets) {
        const std::string name = to_string(which);
        out.push_back(keys_.shards(event, name));
        out.push_back(keys_.parked(event, name));
        out.push_back(keys_.waiting(event, name));
    }
    return out;
}

asio::awaitable<result<>> ledger::expect_receipts(std::string event, std::string until) {
    redis::request list;
    list.add("ZADD", keys_.receipts_open(), until, event);
    const auto listed = co_await run(redis_, std::move(list));
    co_return listed.has_error() ? result<>(listed.error()) : result<>();
}

asio::awaitable<result<finish_outcome>> ledger::finish(
    std::string event, std::string document, std::string revision, std::size_t max_length, wall_time now,
    std::chrono::milliseconds retention, std::vector<target> targets,
    std::optional<std::chrono::milliseconds> receipts_window) {
    const std::vector<std::string> book{keys_.ledger(event)};
    const std::vector<std::string> proposal{std::move(document), std::move(revision)};
    redis::request conclude;
    conclude.add_script(ledger_scripts::conclude, book, proposal);
    const auto concluded = co_await run(redis_, std::move(conclude));
    if (concluded.has_error()) {
        co_return concluded.error();
    }
    if (concluded->front().is_nil()) {
        co_return finish_outcome::had_ended;
    }
    if (concluded->front().type() == redis::reply_type::integer) {
        co_return finish_outcome::unfinished;
    }
    std::string agreed(concluded->front().text());
    ending how = ending_in(agreed);

    const std::vector<std::string> streams{keys_.results(), keys_.published()};
    const std::vector<std::string> letter{
        event, std::move(agreed), std::to_string(max_length), std::to_string(to_ms(now)),
        std::to_string(retention.count())};
    redis::request publish;
    publish.add_script(ledger_scripts::publish, streams, letter);
    const auto published = co_await run(redis_, std::move(publish));
    if (published.has_error()) {
        co_return published.error();
    }

    std::string until;
    if (receipts_window) {
        until = std::to_string(how.at.value_or(to_ms(now)) + receipts_window->count());
        // Before it is closed: whoever dies in between is followed by somebody who repeats all of this.
        const auto listed = co_await expect_receipts(event, until);
        if (listed.has_error()) {
            co_return listed.error();
        }
    }
    const std::vector<std::string> keys = keys_of(event, targets);
    const std::vector<std::string> ending{
        std::move(how.state), std::to_string(retention.count()), std::move(until)};
    redis::request close;
    close.add_script(ledger_scripts::close, keys, ending);
    const auto closed = co_await run(redis_, std::move(close));
    if (closed.has_error()) {
        co_return closed.error();
    }
    const bool first = closed->front().integer() == 1;
    const auto forgotten = co_await forget_running(std::move(event));
    if (forgotten.has_error()) {
        co_return forgotten.error();
    }
    co_return first ? finish_outcome::published : finish_outcome::had_ended;
}

asio::awaitable<result<ledger::given_up>> ledger::give_up(
    std::string event, std::string why, std::vector<target> targets) {
    std::vector<std::string> keys{keys_.ledger(event)};
    for (const target& which : targets) {
        const std::string name = to_string(which);
        keys.push_back(keys_.shards(event, name));
        keys.push_back(keys_.parked(event, name));
        keys.push_back(keys_.waiting(event, name));
    }
    const std::vector<std::string> arguments{
        std::move(why),
        ledger_names::outcome_field(targets.empty() ? target() : targets.front(), outcome::failed)};
    redis::request ask;
    ask.add_script(ledger_scripts::give_up, keys, arguments);
    const auto answer = co_await run(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    co_return answer->front().integer() == 1 ? given_up::noted : given_up::nowhere;
}

asio::awaitable<result<>> ledger::forget_scheduled(std::string event) {
    redis::request ask;
    ask.add("ZREM", keys_.scheduled(), event);
    const auto answer = co_await run(redis_, std::move(ask));
    co_return answer.has_error() ? result<>(answer.error()) : result<>();
}

asio::awaitable<result<>> ledger::erase_scheduled(std::string event) {
    redis::request erase;
    erase.add("DEL", keys_.ledger(event));
    const auto erased = co_await run(redis_, std::move(erase));
    if (erased.has_error()) {
        co_return erased.error();
    }
    co_return co_await forget_scheduled(std::move(event));
}

asio::awaitable<result<>> ledger::forget_running(std::string event) {
    redis::request ask;
    ask.add("ZREM", keys_.running(), event);
    const auto answer = co_await run(redis_, std::move(ask));
    co_return answer.has_error() ? result<>(answer.error()) : result<>();
}

std::string encode_dead(const target& which, std::string_view token, std::string_view entry) {
    std::string out;
    append_counted(out, to_string(which));
    append_counted(out, token);
    out += entry;
    return out;
}

std::optional<dead_device> decode_dead(std::string_view bytes) {
    const auto name = take_counted(bytes);
    if (!name) {
        return std::nullopt;
    }
    auto which = parse_target(*name);
    const auto token = take_counted(bytes);
    if (!which || !token) {
        return std::nullopt;
    }
    return dead_device{std::move(*which), std::string(*token), std::string(bytes)};
}

}  // namespace tocsin
