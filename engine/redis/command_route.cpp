#include "engine/redis/command_route.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace tocsin::redis {
namespace {

enum class form : std::uint8_t {
    second_key,     ///< The key follows a subcommand: XINFO STREAM key.
    counted_keys,   ///< A count, then the keys, after one word: EVALSHA sha 2 a b.
    leading_count,  ///< The count comes first: SINTERCARD 2 a b.
    after_streams,  ///< The keys follow the word STREAMS.
    anywhere,
    everywhere,
    by_subcommand,  ///< Some subcommands change each node, the others ask one.
    nowhere,
};

struct rule {
    std::string_view name;
    form how;
};

// In upper case, sorted for the search; what is not here has its key in first place.
constexpr std::array<rule, 56> rules{
    {{"ACL", form::by_subcommand},
     {"BITOP", form::second_key},
     {"BLMPOP", form::counted_keys},
     {"BZMPOP", form::counted_keys},
     {"CLIENT", form::anywhere},
     {"CLUSTER", form::anywhere},
     {"COMMAND", form::anywhere},
     {"CONFIG", form::by_subcommand},
     {"DBSIZE", form::nowhere},
     {"DISCARD", form::nowhere},
     {"ECHO", form::anywhere},
     {"EVAL", form::counted_keys},
     {"EVALSHA", form::counted_keys},
     {"EVALSHA_RO", form::counted_keys},
     {"EVAL_RO", form::counted_keys},
     {"EXEC", form::nowhere},
     {"FCALL", form::counted_keys},
     {"FCALL_RO", form::counted_keys},
     {"FLUSHALL", form::everywhere},
     {"FLUSHDB", form::everywhere},
     {"FUNCTION", form::by_subcommand},
     {"HELLO", form::nowhere},
     {"INFO", form::anywhere},
     {"KEYS", form::nowhere},
     {"LASTSAVE", form::anywhere},
     {"LATENCY", form::anywhere},
     {"LMPOP", form::leading_count},
     {"MEMORY", form::second_key},
     {"MULTI", form::nowhere},
     {"OBJECT", form::second_key},
     {"PING", form::anywhere},
     {"PSUBSCRIBE", form::nowhere},
     {"PUBLISH", form::anywhere},
     {"PUBSUB", form::anywhere},
     {"RANDOMKEY", form::anywhere},
     {"READONLY", form::nowhere},
     {"ROLE", form::anywhere},
     {"SCAN", form::nowhere},
     {"SCRIPT", form::by_subcommand},
     {"SELECT", form::nowhere},
     {"SINTERCARD", form::leading_count},
     {"SLOWLOG", form::by_subcommand},
     {"SUBSCRIBE", form::nowhere},
     {"TIME", form::anywhere},
     {"UNWATCH", form::nowhere},
     {"WAIT", form::nowhere},
     {"WATCH", form::nowhere},
     {"XGROUP", form::second_key},
     {"XINFO", form::second_key},
     {"XREAD", form::after_streams},
     {"XREADGROUP", form::after_streams},
     {"ZDIFF", form::leading_count},
     {"ZINTER", form::leading_count},
     {"ZINTERCARD", form::leading_count},
     {"ZMPOP", form::leading_count},
     {"ZUNION", form::leading_count}}};
static_assert(std::is_sorted(rules.begin(), rules.end(), [](const rule& a, const rule& b) {
    return a.name < b.name;
}));

constexpr std::size_t longest_name = 16;

constexpr char upper(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool is_word(std::string_view text, std::string_view in_upper_case) noexcept {
    return std::equal(
        text.begin(), text.end(), in_upper_case.begin(), in_upper_case.end(),
        [](char a, char b) { return upper(a) == b; });
}

bool changes_each_node(std::string_view subcommand) noexcept {
    constexpr std::array<std::string_view, 12> changing{"SET",     "RESETSTAT", "REWRITE", "FLUSH",
                                                        "LOAD",    "KILL",      "RESET",   "DELETE",
                                                        "RESTORE", "SETUSER",   "DELUSER", "SAVE"};
    return std::any_of(
        changing.begin(), changing.end(), [&](std::string_view one) { return is_word(subcommand, one); });
}

command_route at(std::span<const std::string_view> words, std::size_t index) noexcept {
    if (index >= words.size()) {
        return {command_route::destination::any_master, {}};  // Malformed: any Redis will say so.
    }
    return {command_route::destination::key, words[index]};
}

command_route counted(std::span<const std::string_view> words, std::size_t index) noexcept {
    std::size_t keys = 0;
    if (index < words.size()) {
        std::from_chars(words[index].data(), words[index].data() + words[index].size(), keys);
    }
    return at(words, keys == 0 ? words.size() : index + 1);
}

command_route after_streams(std::span<const std::string_view> words) noexcept {
    for (std::size_t i = 1; i < words.size(); ++i) {
        if (is_word(words[i], "STREAMS")) {
            return at(words, i + 1);
        }
        // A group or consumer may itself be called "streams".
        if (is_word(words[i], "GROUP")) {
            i += 2;
        }
    }
    return at(words, words.size());
}

}  // namespace

command_route route_command(std::span<const std::string_view> words) noexcept {
    std::array<char, longest_name> name{};
    const std::size_t length = std::min(words.front().size(), name.size());
    std::transform(words.front().begin(), words.front().begin() + length, name.begin(), upper);
    const std::string_view wanted(name.data(), length);
    const auto found = std::lower_bound(
        rules.begin(), rules.end(), wanted, [](const rule& a, std::string_view b) { return a.name < b; });
    if (found == rules.end() || found->name != wanted || words.front().size() > longest_name) {
        return at(words, 1);
    }
    switch (found->how) {
        case form::second_key: return at(words, 2);
        case form::counted_keys: return counted(words, 2);
        case form::leading_count: return counted(words, 1);
        case form::after_streams: return after_streams(words);
        case form::anywhere: break;
        case form::everywhere: return {command_route::destination::every_master, {}};
        case form::by_subcommand:
            if (words.size() > 1 && changes_each_node(words[1])) {
                return {command_route::destination::every_master, {}};
            }
            break;
        case form::nowhere: return {command_route::destination::nowhere, {}};
    }
    return {command_route::destination::any_master, {}};
}

}  // namespace tocsin::redis
