#include "engine/plan/dead_letters.hpp"

#include "engine/core/digest.hpp"
#include "engine/core/text.hpp"
#include "engine/redis/check.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

// KEYS: dead letters, stream    ARGV: letter, max length, group, entry
const redis::script post_script("dead_letters.post", R"lua(
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'letter', ARGV[1])
redis.call('XACK', KEYS[2], ARGV[3], ARGV[4])
return 1
)lua");

// On a cluster the two streams are on different nodes. The letter comes first: whoever dies before the
// acknowledgement is followed by somebody who reads the entry again, and the mark tells him that its
// letter is there.
//
// KEYS: dead letters, mark    ARGV: letter, max length, how long the mark stays (ms)
const redis::script post_once_script("dead_letters.post_once", R"lua(
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'letter', ARGV[1])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
return 1
)lua");

/// Longer than an entry waits for an engine to come back.
constexpr auto mark_stays = std::chrono::milliseconds(std::chrono::hours(24));

// What a letter keeps of an entry: all of it up to the first, else its beginning up to the second.
constexpr std::size_t max_letter_payload = std::size_t{256} * 1024;
constexpr std::size_t kept_of_long_payload = std::size_t{16} * 1024;
constexpr std::size_t max_reason = 1'000;

/// `bytes` with everything that is not well-formed UTF-8 replaced by U+FFFD.
std::string repaired(std::string_view bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes.size();) {
        std::size_t length = 1;
        for (std::size_t tried = 1; tried <= 4 && i + tried <= bytes.size(); ++tried) {
            if (is_utf8(bytes.substr(i, tried))) {
                length = tried;
                break;
            }
            length = 0;
        }
        if (length == 0) {
            out += "\xEF\xBF\xBD";
            ++i;
        } else {
            out += bytes.substr(i, length);
            i += length;
        }
    }
    return out;
}

}  // namespace

std::string letter_document(
    std::string_view stream, std::string_view entry, const refusal& why, std::string_view payload) {
    boost::json::object letter;
    letter["stream"] = stream;
    letter["entry"] = entry;
    letter["reason"] = repaired(why.code + ": " + why.message.substr(0, max_reason));
    if (payload.size() > max_letter_payload) {
        // As JSON it could be six times as long, and longer than Redis takes: then nobody would ever hear of
        // it.
        letter["payload_bytes"] = payload.size();
        letter["payload_sha256"] = sha256_hex(payload);
        letter["payload"] = repaired(payload.substr(0, kept_of_long_payload));
    } else if (is_utf8(payload)) {
        letter["payload"] = payload;
    } else {
        letter["payload"] = repaired(payload);
        letter["payload_base64url"] = base64url(payload);
    }
    return boost::json::serialize(letter);
}

boost::asio::awaitable<result<>> dead_letters::post(
    std::string stream, std::string entry, refusal why, std::string payload) {
    std::string letter = letter_document(stream, entry, why, payload);
    redis::request ask;
    if (redis_.is_cluster()) {
        const std::vector<std::string> keys{keys_.dead_letters(), keys_.posted(stream, entry)};
        const std::vector<std::string> arguments{
            std::move(letter), std::to_string(max_length_), std::to_string(mark_stays.count())};
        redis::request first(post_once_script, keys, arguments);
        const auto posted = co_await redis::execute_checked(redis_, std::move(first));
        if (posted.has_error()) {
            co_return posted.error();
        }
        ask.add("XACK", stream, keyspace::group, entry);
    } else {
        const std::vector<std::string> keys{keys_.dead_letters(), stream};
        const std::vector<std::string> arguments{
            std::move(letter), std::to_string(max_length_), std::string(keyspace::group), entry};
        ask.add_script(post_script, keys, arguments);
    }
    const auto posted = co_await redis::execute_checked(redis_, std::move(ask));
    if (posted.has_error()) {
        co_return posted.error();
    }
    metrics_.counter(metric::dead_letters_total, {why.code}).add(1);
    co_return result<>();
}

boost::asio::awaitable<result<letter_fate>> dead_letters::post_once(
    std::string stream, std::string entry, refusal why, std::string payload) {
    const std::vector<std::string> keys{keys_.dead_letters(), keys_.posted(stream, entry)};
    const std::vector<std::string> arguments{
        letter_document(stream, entry, why, payload), std::to_string(max_length_),
        std::to_string(mark_stays.count())};
    redis::request ask(post_once_script, keys, arguments);
    const auto posted = co_await redis::execute_checked(redis_, std::move(ask));
    if (posted.has_error()) {
        co_return posted.error();
    }
    if (posted->front().integer() != 1) {
        co_return letter_fate::there_before;
    }
    metrics_.counter(metric::dead_letters_total, {why.code}).add(1);
    co_return letter_fate::posted;
}

}  // namespace tocsin
