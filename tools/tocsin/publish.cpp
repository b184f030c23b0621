#include "engine/core/rfc3339.hpp"
#include "engine/event/event_parser.hpp"
#include "engine/event/event_writer.hpp"
#include "engine/event/selector.hpp"
#include "engine/redis/check.hpp"
#include "tools/tocsin/commands.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/key_value.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

std::optional<std::string> read_document(const std::string& file) {
    if (file == "-") {
        return std::string(std::istreambuf_iterator<char>(std::cin), {});
    }
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        complain("cannot read " + file);
        return std::nullopt;
    }
    return std::string(std::istreambuf_iterator<char>(in), {});
}

/// Sets `members` in the object `name` of `event`. If that is no object, it is for the parser to say.
void merge_into(json::object& event, std::string_view name, const json::object& members) {
    if (members.empty()) {
        return;
    }
    if (json::object* const place = event.emplace(name, json::object()).first->value().if_object()) {
        for (const auto& [key, value] : members) {
            (*place)[key] = value;
        }
    }
}

/// Sets what the flags say. False, after a word on standard error, if one cannot be read; what is wrong
/// with the whole is for the parser to say.
bool apply_flags(const publish_options& how, json::object& event) {
    const auto text = [](json::object& into, std::string_view name, const std::string& value) {
        if (!value.empty()) {
            into[name] = value;
        }
    };
    const auto list = [&event](std::string_view name, const std::vector<std::string>& values) {
        if (!values.empty()) {
            event[name] = json::array(values.begin(), values.end());
        }
    };
    text(event, "id", how.id);
    list("audience", how.to);
    list("apps", how.apps);
    text(event, "category", how.category);
    text(event, "priority", how.priority);
    text(event, "send_at", how.send_at);
    text(event, "collapse_id", how.collapse_id);
    text(event, "mode", how.mode);
    if (how.ttl) {
        event["ttl"] = *how.ttl;
        event.erase("expires_at");  // The other way of saying the same.
    }
    if (how.spread) {
        event["spread"] = *how.spread;
    }
    json::object shown;
    text(shown, "title", how.title);
    text(shown, "subtitle", how.subtitle);
    text(shown, "body", how.body);
    text(shown, "url", how.url);
    text(shown, "image", how.image);
    json::object data;
    for (const std::string& pair : how.data) {
        const auto split = split_key_value(pair);
        if (!split) {
            complain("--data: \"" + pair + "\" is not KEY=VALUE");
            return false;
        }
        data[split->first] = split->second;
    }
    merge_into(event, "notification", shown);
    merge_into(event, "data", data);
    return true;
}

/// The event of the file, if one is named, as the flags change it.
std::optional<std::string> document_of(const publish_options& how) {
    json::object event;
    std::optional<std::string> written;
    if (how.file.empty()) {
        event["audience"] = json::array();
    } else {
        written = read_document(how.file);
        if (!written) {
            return std::nullopt;
        }
        boost::system::error_code ec;
        json::value document = json::parse(*written, ec);
        if (ec || !document.is_object()) {
            return written;  // The parser says what is wrong with it.
        }
        event = std::move(document.as_object());
    }
    const json::object before = event;
    if (!apply_flags(how, event)) {
        return std::nullopt;
    }
    return written && event == before ? written : json::serialize(event);
}

asio::awaitable<result<std::string>> add(redis_session& redis, std::string document) {
    redis::request ask;
    ask.add("XADD", redis.keys().events(), "*", "event", document);
    auto answer = co_await redis.redis().execute(std::move(ask));
    const auto added = redis::checked(std::move(answer));
    if (added.has_error()) {
        co_return added.error();
    }
    co_return std::string(added->front().text());
}

}  // namespace

int run(const common_options& common, const publish_options& how) {
    const auto document = document_of(how);
    if (!document) {
        return exit_usage;
    }
    // Said here and now rather than by a dead letter later; the engine looks again.
    const auto now = system_time_source().wall_now();
    const auto event =
        parse_event(*document, std::to_string(now.time_since_epoch().count()) + "-0", event_limits{}, now);
    if (event.has_error()) {
        complain(event.error().message);
        return exit_usage;
    }
    const auto loaded = load_settings(common);
    if (!loaded) {
        return exit_configuration;
    }
    const auto redis = redis_session::open(*loaded);
    if (redis == nullptr) {
        return exit_configuration;
    }
    const auto entry = redis->run(add(*redis, *document));
    if (!entry) {
        return exit_unreachable;
    }
    const bool named = json::parse(*document).as_object().contains("id");
    const std::string id = named ? event->id : *entry;
    if (how.watch) {
        return follow_event(*redis, common, id, *entry);
    }
    if (common.json) {
        print_json(json::object{{"event", id}, {"entry", *entry}});
    } else {
        print(id);
    }
    return exit_ok;
}

}  // namespace tocsin::cli
