#include "engine/redis/error_replies.hpp"

#include <algorithm>
#include <array>

namespace tocsin::redis {
namespace {

struct error_row {
    std::string_view word;
    std::string_view advice;
    redis_errc code = redis_errc::declined;
};

constexpr std::string_view unknown_advice = "Its own words say what it did not like.";

constexpr std::string_view one_node =
    "This Redis is a node of a cluster: redis.url wants redis+cluster:// and its nodes.";

constexpr auto rows = std::to_array<error_row>({
    {"ASK", one_node},
    {"BUSY", "A script of another program holds Redis up: SCRIPT KILL ends it."},
    {"CLUSTERDOWN", "The cluster has no owner for some slots: look at CLUSTER INFO."},
    {"CROSSSLOT", one_node},
    {"DENIED", "Redis takes connections of its own host alone: set a password there, or look at its bind."},
    {"LOADING", "Redis reads its data after a start: it passes."},
    {"MASTERDOWN", "This is a replica that has lost its master: point redis.url at a master."},
    {"MISCONF", "Redis cannot write its snapshot or log: look at its disk and its log."},
    {"MOVED", one_node},
    {"NOAUTH", "Set user and password in redis.url."},
    {"NOGROUP", "The stream or its consumer group was deleted: the engine makes it again."},
    {"NOPERM", "The user of redis.url lacks a right: docs/how-to/run-in-production.md lists them."},
    {"NOREPLICAS", "Redis wants replicas that are not there: look at min-replicas-to-write."},
    {"OOM",
     "Redis is full: raise maxmemory, or delete what need not be there. Its maxmemory-policy should be "
     "noeviction."},
    {"READONLY", "This is a replica: point redis.url at the master, or wait for a failover to end."},
    {"TRYAGAIN", "The cluster moves slots: it passes."},
    {"UNBLOCKED",
     "The stream was deleted, or a failover began while the engine waited for entries: it asks again."},
    {"UNKILLABLE",
     "A script of another program holds Redis up, and has already written: only a restart ends it."},
    {"WRONGPASS", "Check user and password in redis.url."},
    {"WRONGTYPE",
     "Another program has written a key of ours: docs/reference/redis-keys.md says what belongs there.",
     redis_errc::damaged},
});
static_assert(std::ranges::is_sorted(rows, {}, &error_row::word));

const error_row* row_for(std::string_view word) noexcept {
    const auto found = std::ranges::lower_bound(rows, word, {}, &error_row::word);
    return found == rows.end() || found->word != word ? nullptr : &*found;
}

bool is_word_end(char c) noexcept {
    return c == ' ' || c == ':' || c == ',';
}

/// Redis writes its classes so; a word in small letters begins a sentence.
bool is_class(std::string_view word) noexcept {
    return word.size() > 2 && word.size() <= 32 &&
           std::ranges::all_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_normal(std::string_view text) noexcept {
    return text.starts_with("NOSCRIPT") || text.starts_with("BUSYGROUP") ||
           text.starts_with("ERR no such key");
}

std::string printable(std::string_view text) {
    std::string out(text.substr(0, 300));
    std::ranges::replace_if(
        out, [](char c) { return c < ' ' || c > '~'; }, '?');
    return out;
}

}  // namespace

std::string_view error_class(std::string_view text) noexcept {
    const std::string_view first = text.substr(0, text.find(' '));
    if (const error_row* const row = row_for(first)) {
        return row->word;
    }
    // Redis 7 names no class when a script uses a command that its user has no right to.
    if (text.find("can't run this command") != std::string_view::npos ||
        text.find("can't access at least one of the keys") != std::string_view::npos) {
        return "NOPERM";
    }
    if (text.find("non local key") != std::string_view::npos) {
        return "CROSSSLOT";  // The same of a script: "ERR Script attempted to access a non local key …".
    }
    // Redis 6.2 wraps what a script was told in words of its own: "ERR Error running script …: … -OOM command
    // not …".
    for (const error_row& row : rows) {
        for (std::size_t at = text.find(row.word); at != std::string_view::npos;
             at = text.find(row.word, at + 1)) {
            const std::size_t end = at + row.word.size();
            const bool begins = at == 0 || is_word_end(text[at - 1]) || text[at - 1] == '-';
            if (begins && (end == text.size() || is_word_end(text[end]))) {
                return row.word;
            }
        }
    }
    return is_class(first) ? first : "ERR";
}

std::string_view advice_for(std::string_view error_class) noexcept {
    const error_row* const row = row_for(error_class);
    return row == nullptr ? unknown_advice : row->advice;
}

redis_errc code_for(std::string_view text) noexcept {
    const error_row* const row = row_for(error_class(text));
    return row == nullptr ? redis_errc::error_reply : row->code;
}

void error_replies::note(const replies& answers, time_point now) {
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (!answers[i].is_error() || is_normal(answers[i].text())) {
            continue;
        }
        note_failure();
        const std::scoped_lock lock(mutex_);
        last_ = last_error{printable(answers[i].text()), now};
    }
}

std::optional<error_replies::last_error> error_replies::last() const {
    const std::scoped_lock lock(mutex_);
    return last_;
}

}  // namespace tocsin::redis
