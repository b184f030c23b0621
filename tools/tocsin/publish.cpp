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
#include <boost/json/serialize.hpp>

#include <fstream>
#include <iostream>
#include <iterator>

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

/// The document that the flags describe. What is wrong with it is for the parser to say.
std::optional<std::string> document_of(const publish_options& how) {
    json::object out;
    const auto text = [](json::object& into, const char* name, const std::string& value) {
        if (!value.empty()) {
            into[name] = value;
        }
    };
    text(out, "id", how.id);
    out["audience"] = json::array(how.to.begin(), how.to.end());
    if (!how.apps.empty()) {
        out["apps"] = json::array(how.apps.begin(), how.apps.end());
    }
    text(out, "category", how.category);
    text(out, "priority", how.priority);
    text(out, "send_at", how.send_at);
    text(out, "collapse_id", how.collapse_id);
    text(out, "mode", how.mode);
    if (how.ttl) {
        out["ttl"] = *how.ttl;
    }
    if (how.spread) {
        out["spread"] = *how.spread;
    }
    json::object shown;
    text(shown, "title", how.title);
    text(shown, "subtitle", how.subtitle);
    text(shown, "body", how.body);
    text(shown, "url", how.url);
    text(shown, "image", how.image);
    if (!shown.empty()) {
        out["notification"] = std::move(shown);
    }
    json::object data;
    for (const std::string& pair : how.data) {
        const auto split = split_key_value(pair);
        if (!split) {
            complain("--data: \"" + pair + "\" is not KEY=VALUE");
            return std::nullopt;
        }
        data[split->first] = split->second;
    }
    if (!data.empty()) {
        out["data"] = std::move(data);
    }
    return json::serialize(out);
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
    const auto document = how.file.empty() ? document_of(how) : read_document(how.file);
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
