#include "tools/simulator/control.hpp"

#include "tools/simulator/dead_token.hpp"
#include "tools/simulator/screen.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <optional>
#include <string>

namespace tocsin::sim {
namespace {

namespace json = boost::json;

http_reply answer(const json::value& document) {
    http_reply reply;
    reply.body = json::serialize(document) + "\n";
    return reply;
}

http_reply problem(unsigned status, std::string_view sentence) {
    http_reply reply = answer(json::object{{"error", sentence}});
    reply.status = status;
    return reply;
}

std::string lower(std::string text) {
    for (char& c : text) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return text;
}

/// Tokens of Apple are hex, in whatever case.
std::string known_as(provider platform, std::string_view token) {
    const bool exact = platform == provider::fcm || platform == provider::webpush;
    return exact ? std::string(token) : lower(std::string(token));
}

/// False if the field is there and is no whole number.
bool read_number(const http_call& call, std::string_view name, std::size_t& into) {
    const auto text = form_field(call.query, name);
    if (!text) {
        return true;
    }
    const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), into);
    return failed == std::errc() && end == text->data() + text->size();
}

}  // namespace

http_reply control_endpoint::handle(const http_call& call) {
    if (call.method == "GET") {
        return get(call);
    }
    if (call.method != "POST") {
        return problem(405, "GET or POST is required.");
    }
    if (call.path == "/reset") {
        simulator_.reset();
        return answer(json::object{{"reset", true}});
    }
    if (call.path != "/behaviour" && call.path != "/tokens") {
        return problem(404, "POST goes to /behaviour, /tokens or /reset.");
    }
    error_code ec;
    const auto document = json::parse(call.body, ec);
    if (ec) {
        return problem(400, "The body is not JSON: " + ec.message() + ".");
    }
    if (call.path == "/tokens") {
        return tokens(document);
    }
    const auto changed = simulator_.change(document);
    if (!changed) {
        return problem(400, changed.error().message);
    }
    return answer(behaviour_json(simulator_.current_behaviour()));
}

http_reply control_endpoint::get(const http_call& call) const {
    if (call.path == "/healthz") {
        return answer(json::object{{"status", "ok"}});
    }
    if (call.path == "/stats") {
        return answer(simulator_.stats());
    }
    if (call.path == "/behaviour") {
        return answer(behaviour_json(simulator_.current_behaviour()));
    }
    if (call.path == "/tokens") {
        return token(call);
    }
    if (call.path == "/received") {
        return received(call);
    }
    if (call.path == "/screen") {
        return screen(call);
    }
    if (call.path == "/subscriptions") {
        return subscriptions(call);
    }
    return problem(
        404, "GET goes to /healthz, /stats, /behaviour, /tokens, /received, /screen or /subscriptions.");
}

http_reply control_endpoint::token(const http_call& call) const {
    const auto platform = find_provider(form_field(call.query, "platform").value_or(""));
    const auto given = form_field(call.query, "token");
    if (!platform || !given) {
        return problem(400, "platform (apns, sandbox, fcm or webpush) and token are required.");
    }
    const std::string name = known_as(*platform, *given);
    const token_counts counts = simulator_.counts(*platform, name);
    const behaviour current = simulator_.current_behaviour();
    const provider_behaviour& rules = current.of(*platform);
    return answer(json::object{
        {"received", counts.received},
        {"accepted", counts.accepted},
        {"dead",
         is_dead(name, current.seed, rules.dead_share) || rules.dead_tokens.contains(token_key(name))}});
}

http_reply control_endpoint::tokens(const json::value& document) const {
    const json::object* const asked = document.if_object();
    const json::value* const name = asked == nullptr ? nullptr : asked->if_contains("platform");
    const json::value* const list = asked == nullptr ? nullptr : asked->if_contains("tokens");
    const auto platform =
        name == nullptr || !name->is_string() ? std::nullopt : find_provider(name->get_string());
    if (!platform || list == nullptr || !list->is_array()) {
        return problem(400, "platform (apns, sandbox, fcm or webpush) and a list of tokens are required.");
    }
    json::array accepted;
    accepted.reserve(list->get_array().size());
    for (const json::value& one : list->get_array()) {
        if (!one.is_string()) {
            return problem(400, "tokens are texts.");
        }
        accepted.push_back(simulator_.counts(*platform, known_as(*platform, one.get_string())).accepted);
    }
    return answer(json::object{{"accepted", std::move(accepted)}});
}

http_reply control_endpoint::received(const http_call& call) const {
    std::optional<provider> platform;
    if (const auto name = form_field(call.query, "platform")) {
        platform = find_provider(*name);
        if (!platform) {
            return problem(400, "platform must be apns, sandbox, fcm or webpush.");
        }
    }
    std::size_t limit = 100;
    if (!read_number(call, "limit", limit)) {
        return problem(400, "limit must be a whole number.");
    }
    return answer(simulator_.received(platform, limit));
}

http_reply control_endpoint::screen(const http_call& call) const {
    const auto platform = find_provider(form_field(call.query, "platform").value_or(""));
    const auto given = form_field(call.query, "token");
    if (!platform || !given) {
        return problem(400, "platform (apns, sandbox, fcm or webpush) and token are required.");
    }
    constexpr std::size_t all_that_are_kept = 1'000;
    return answer(screen_of(simulator_.received(*platform, all_that_are_kept), known_as(*platform, *given)));
}

http_reply control_endpoint::subscriptions(const http_call& call) const {
    constexpr std::size_t most = 10'000;
    std::size_t from = 0;
    std::size_t count = 1;
    if (!read_number(call, "from", from) || !read_number(call, "count", count) || count > most) {
        return problem(400, "from and count must be whole numbers, count at most 10000.");
    }
    json::array out;
    for (std::size_t i = 0; i < count; ++i) {
        out.push_back(json::parse(simulator_.subscription(from + i)));
    }
    return answer(out);
}

}  // namespace tocsin::sim
