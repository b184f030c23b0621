#include "engine/intake/dead_letters.hpp"

#include "engine/core/text.hpp"
#include "engine/redis/check.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

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
    letter["reason"] = why.code + ": " + why.message;
    if (is_utf8(payload)) {
        letter["payload"] = payload;
    } else {
        letter["payload"] = repaired(payload);
        letter["payload_base64url"] = base64url(payload);
    }
    return boost::json::serialize(letter);
}

boost::asio::awaitable<result<>> dead_letters::post(
    std::string stream, std::string entry, refusal why, std::string payload) {
    const std::vector<std::string> keys{keys_.dead_letters(), stream};
    const std::vector<std::string> arguments{
        letter_document(stream, entry, why, payload), std::to_string(max_length_),
        std::string(keyspace::group), entry};
    redis::request ask;
    ask.add_script(post_script, keys, arguments);
    auto answer = co_await redis_.execute(std::move(ask));
    const auto posted = redis::checked(std::move(answer));
    if (posted.has_error()) {
        co_return posted.error();
    }
    metrics_.counter(metric::dead_letters_total, {why.code}).add(1);
    co_return result<>();
}

}  // namespace tocsin
