#include "tools/simulator/screen.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::sim {
namespace {

namespace json = boost::json;

struct notification {
    std::string tag;  ///< Empty: it replaces nothing.
    std::string title;
    std::string body;
};

/// The member of a member …, if all of them are there.
const json::value* find(const json::value& in, std::initializer_list<std::string_view> path) {
    const json::value* at = &in;
    for (const std::string_view name : path) {
        const json::object* const here = at->if_object();
        at = here == nullptr ? nullptr : here->if_contains(name);
        if (at == nullptr) {
            return nullptr;
        }
    }
    return at;
}

std::string text(const json::value& in, std::initializer_list<std::string_view> path) {
    const json::value* const found = find(in, path);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::string header(const json::object& request, std::string_view name) {
    for (const json::value& one : request.at("headers").as_array()) {
        if (one.at(0).as_string() == name) {
            return std::string(one.at(1).as_string());
        }
    }
    return {};
}

notification on_apple(const json::object& request, const json::value& body) {
    return {
        header(request, "apns-collapse-id"), text(body, {"aps", "alert", "title"}),
        text(body, {"aps", "alert", "body"})};
}

notification on_android(const json::value& body) {
    const auto shown = [&](std::string_view name) {
        std::string own = text(body, {"message", "android", "notification", name});
        return own.empty() ? text(body, {"message", "notification", name}) : own;
    };
    return {text(body, {"message", "android", "notification", "tag"}), shown("title"), shown("body")};
}

notification in_a_browser(const json::value& body) {
    return {
        text(body, {"notification", "tag"}), text(body, {"notification", "title"}),
        text(body, {"notification", "body"})};
}

/// Nothing if it was refused or shows nothing.
std::optional<notification> shown_by(const json::object& request) {
    if (request.at("status").to_number<int>() / 100 != 2) {
        return std::nullopt;
    }
    boost::system::error_code failed;
    const json::value body = json::parse(request.at("body").as_string(), failed);
    if (failed) {
        return std::nullopt;
    }
    const std::string_view provider = request.at("provider").as_string();
    notification out = provider == "fcm"       ? on_android(body)
                       : provider == "webpush" ? in_a_browser(body)
                                               : on_apple(request, body);
    return out.title.empty() && out.body.empty() ? std::nullopt : std::optional(std::move(out));
}

}  // namespace

json::array screen_of(const json::array& received, std::string_view token) {
    std::vector<notification> newest_first;
    for (const json::value& one : received) {
        const json::object& request = one.as_object();
        if (request.at("token").as_string() != token) {
            continue;
        }
        const auto next = shown_by(request);
        const bool replaced =
            next && !next->tag.empty() &&
            std::ranges::find(newest_first, next->tag, &notification::tag) != newest_first.end();
        if (next && !replaced) {
            newest_first.push_back(*next);
        }
    }
    json::array out;
    for (const notification& one : newest_first) {
        out.push_back(json::object{{"tag", one.tag}, {"title", one.title}, {"body", one.body}});
    }
    return out;
}

}  // namespace tocsin::sim
