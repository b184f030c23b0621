#include "engine/core/text.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/streams.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/hidden_tokens.hpp"
#include "tools/tocsin/letters.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

struct dead_letters_options {
    enum class action { list, show, retry, drop } what = action::list;
    std::vector<std::string> ids;
    std::size_t limit = 20;
    bool all = false;
};

constexpr std::size_t longest_payload_listed = 60;

/// A payload as it may be shown.
std::string shown_payload(const common_options& common, const letter& one) {
    return common.show_tokens ? one.payload : shorten_tokens(one.payload);
}

// On a cluster a letter and the stream it came from are on different nodes, so this takes two steps
// everywhere. The mark keeps a command that broke off between them from doing the first one twice.
//
// KEYS: stream, mark    ARGV: field, payload, how long the mark stays (ms)
const redis::script put_back_script("dead_letters.put_back", R"lua(
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[3]) then return 0 end
redis.call('XADD', KEYS[1], '*', ARGV[1], ARGV[2])
return 1
)lua");

constexpr auto mark_stays = std::chrono::milliseconds(std::chrono::hours(24));

/// The field that holds the document in the entries of a stream; empty: nothing is put back there.
std::string_view field_of(const keyspace& keys, std::string_view stream) {
    const auto* const found = std::ranges::find_if(
        incoming_streams, [&](const incoming_stream& one) { return one.key_in(keys) == stream; });
    return found == incoming_streams.end() ? std::string_view() : found->field;
}

asio::awaitable<result<>> return_entries(redis_session& redis, const std::vector<letter>& letters) {
    redis::request ask;
    for (const letter& one : letters) {
        const std::string_view field = field_of(redis.keys(), one.stream);
        if (!field.empty()) {
            const std::vector<std::string> keys{one.stream, redis.keys().put_back(one.stream, one.id)};
            const std::vector<std::string> arguments{
                std::string(field), one.payload, std::to_string(mark_stays.count())};
            ask.add_script(put_back_script, keys, arguments);
        }
    }
    if (ask.empty()) {
        co_return result<>();
    }
    co_return co_await redis::carry_out(redis.redis(), std::move(ask));
}

/// Fills in what a letter of a long entry has not kept, out of the stream. Those whose entry is gone stay
/// letters.
asio::awaitable<result<>> complete(redis_session& redis, std::vector<letter>& letters) {
    std::vector<letter> out;
    for (letter& one : letters) {
        if (!one.is_cut) {
            out.push_back(std::move(one));
            continue;
        }
        redis::request ask("XRANGE", one.stream, one.entry, one.entry);
        const auto checked = co_await redis::execute_checked(redis.redis(), std::move(ask));
        if (checked.has_error()) {
            co_return checked.error();
        }
        const auto entries = redis::parse_entries(checked->front());
        const std::string_view field = field_of(redis.keys(), one.stream);
        const auto whole =
            entries.has_value() && !entries->empty() ? entries->front().field(field) : std::nullopt;
        if (whole) {
            one.payload = *whole;
            out.push_back(std::move(one));
        } else {
            complain(
                "letter " + shown(one.id) + " holds only the beginning of its entry, which is not in " +
                shown(one.stream) + " any more: it cannot be put back");
        }
    }
    letters = std::move(out);
    co_return result<>();
}

/// Puts each entry back where it came from, if that is wanted, and takes its letter away.
asio::awaitable<result<>> act(redis_session& redis, std::vector<letter> letters, bool put_back) {
    if (put_back) {
        const auto completed = co_await complete(redis, letters);
        if (completed.has_error()) {
            co_return completed;
        }
        const auto returned = co_await return_entries(redis, letters);
        if (returned.has_error()) {
            co_return returned;
        }
    }
    redis::request ask;
    for (const letter& one : letters) {
        ask.add("XDEL", redis.keys().dead_letters(), one.id);
    }
    if (ask.empty()) {
        co_return result<>();
    }
    co_return co_await redis::carry_out(redis.redis(), std::move(ask));
}

void list(redis_session& redis, const common_options& common, std::size_t limit) {
    const auto letters = redis.run(newest_letters(redis, limit));
    if (common.json) {
        json::array out;
        for (const letter& one : letters) {
            out.push_back(json::object{
                {"id", one.id}, {"stream", one.stream}, {"entry", one.entry}, {"reason", one.reason}});
        }
        print_json(out);
        return;
    }
    for (const letter& one : letters) {
        std::string head = shown_payload(common, one);
        const bool cut = head.size() > longest_payload_listed;
        head.resize(std::min(head.size(), longest_payload_listed));
        while (!is_utf8(head) && !head.empty()) {
            head.pop_back();
        }
        print(fmt::format(
            "{}  {}\n    {}{}", inked(ink::bold, one.id), shown(one.reason), inked(ink::dim, head),
            cut ? " …" : ""));
    }
    if (letters.empty()) {
        print("No dead letters.");
    }
}

/// Its lines behind a margin, so that none can be taken for one of ours.
std::string indented(std::string_view payload) {
    std::string out;
    for (;;) {
        const std::size_t end = payload.find('\n');
        out += "    " + shown(payload.substr(0, end));
        if (end == std::string_view::npos) {
            return out;
        }
        out += '\n';
        payload.remove_prefix(end + 1);
    }
}

void show(const common_options& common, const std::vector<letter>& letters) {
    for (const letter& one : letters) {
        const std::string payload = shown_payload(common, one);
        if (common.json) {
            print_json(json::object{
                {"id", one.id},
                {"stream", one.stream},
                {"entry", one.entry},
                {"reason", one.reason},
                {"payload", is_utf8(payload) ? payload : "base64url:" + base64url(payload)}});
        } else {
            print(fmt::format(
                "letter   {}\nstream   {}\nentry    {}\nreason   {}\npayload\n{}", shown(one.id),
                shown(one.stream), shown(one.entry), shown(one.reason), indented(payload)));
        }
    }
}

/// Ends the command at one that has not the form of an id.
void expect_ids(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
        if (!redis::parse_entry_id(id)) {
            throw command_end(
                exit_usage, "\"" + shorten_tokens(id) +
                                "\" is no id: a letter has one like 1763870000000-0, as \"tocsin "
                                "dead-letters list\" shows");
        }
    }
}

asio::awaitable<result<found_letters>> all_letters(redis_session& redis, std::size_t limit) {
    auto letters = co_await newest_letters(redis, limit);
    if (letters.has_error()) {
        co_return letters.error();
    }
    found_letters out;
    out.letters = std::move(*letters);
    co_return out;
}

int dead_letters(const common_options& common, const dead_letters_options& how) {
    const bool listing = how.what == dead_letters_options::action::list;
    if (!listing && how.ids.empty() && !how.all) {
        throw command_end(
            exit_usage, "name the letters, as \"tocsin dead-letters list\" shows them, or say --all");
    }
    expect_ids(how.ids);
    opened_session in(common);
    redis_session& redis = in.redis;
    if (listing) {
        list(redis, common, how.limit);
        return exit_ok;
    }
    const auto [letters, missing, ambiguous] =
        how.all ? redis.run(all_letters(redis, in.how.engine.dead_letters_max_length))
                : redis.run(find_letters(redis, how.ids));
    for (const std::string& id : missing) {
        complain("there is no letter " + id + ", and none of an entry " + id);
    }
    if (!missing.empty()) {
        return exit_failed;
    }
    if (how.what == dead_letters_options::action::show) {
        show(common, letters);
        return exit_ok;
    }
    for (const auto& [id, other] : ambiguous) {
        complain(
            "two letters are named by " + id + ": that letter, and " + other + ", which is of an entry " +
            id + "; name the one you mean by its other id, or both");
    }
    if (!ambiguous.empty()) {
        return exit_failed;
    }
    const bool put_back = how.what == dead_letters_options::action::retry;
    if (!letters.empty()) {
        redis.run(act(redis, letters, put_back));
    }
    if (common.json) {
        print_json(json::object{{put_back ? "retried" : "dropped", letters.size()}});
    } else {
        print(fmt::format("{} {}", letters.size(), put_back ? "put back on their streams" : "dropped"));
    }
    return exit_ok;
}

command action_on_letters(
    dead_letters_options::action what, std::string name, std::string summary, std::string examples,
    std::string details) {
    const auto how = std::make_shared<dead_letters_options>();
    how->what = what;
    std::vector<option> options;
    if (what == dead_letters_options::action::list) {
        options.push_back(option("--limit", how->limit, "How many of the newest").preset("20"));
    } else {
        options.emplace_back("ID", how->ids, "The letter's id, as listed, or its entry's");
        if (what != dead_letters_options::action::show) {
            options.emplace_back("--all", how->all, "All letters");
        }
    }
    return {
        .name = std::move(name),
        .group = command_group::look,
        .summary = std::move(summary),
        .examples = std::move(examples),
        .options = std::move(options),
        .details = std::move(details),
        .run = [how](const common_options& common) { return dead_letters(common, *how); },
    };
}

}  // namespace

command dead_letters_command() {
    using action = dead_letters_options::action;
    return {
        .name = "dead-letters",
        .group = command_group::look,
        .summary = "Work on entries that could not be accepted.",
        .examples =
            "tocsin dead-letters list\n"
            "tocsin dead-letters show 1763870000000-0\n"
            "tocsin dead-letters show 1763870000000-0 --show-tokens\n"
            "tocsin dead-letters retry 1763870000000-0\n"
            "tocsin dead-letters drop --all\n",
        .details =
            "ID is the letter's own id, as listed, or that of its `entry`, as `publish` printed it. Entries "
            "of several streams can have the same id, and one letter's id can be another's entry: then "
            "`show` shows all of them, and `retry` and `drop` ask which one you mean. Exit code 1 if an id "
            "does not exist or stands for two letters; then nothing is done. Exit code 2 if it is not an id.",
        .actions =
            {
                action_on_letters(
                    action::list, "list", "List the newest letters.",
                    "tocsin dead-letters list --limit 100\n", ""),
                action_on_letters(
                    action::show, "show", "Show letters whole.",
                    "tocsin dead-letters show 1763870000000-0 --show-tokens\n",
                    "With `--json --show-tokens`, the payload as it was written; in base64url if it is no "
                    "UTF-8."),
                action_on_letters(
                    action::retry, "retry", "Put entries back on their streams.",
                    "tocsin dead-letters retry 1763870000000-0\n"
                    "tocsin dead-letters retry --all\n",
                    "Their letters are deleted."),
                action_on_letters(
                    action::drop, "drop", "Delete letters.",
                    "tocsin dead-letters drop 1763870000000-0\n"
                    "tocsin dead-letters drop --all\n",
                    ""),
            },
    };
}

}  // namespace tocsin::cli
