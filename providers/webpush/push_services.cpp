#include "providers/webpush/push_services.hpp"

#include "engine/event/json_document.hpp"
#include "engine/event/subscription.hpp"

#include <algorithm>
#include <array>

namespace tocsin {
namespace {

// Google, Mozilla, Apple, Microsoft. What begins with a dot is the end of a host's name: these two spread
// their devices over hosts of their own.
constexpr auto known = std::to_array<std::string_view>(
    {"fcm.googleapis.com", "updates.push.services.mozilla.com", ".push.apple.com", ".notify.windows.com"});

}  // namespace

bool is_known_push_service(std::string_view origin) noexcept {
    constexpr std::string_view scheme = "https://";
    if (!origin.starts_with(scheme)) {
        return false;
    }
    origin.remove_prefix(scheme.size());
    // A port other than 443 is still there, and fits none of the names.
    return std::ranges::any_of(known, [origin](std::string_view name) {
        return name.starts_with('.') ? origin.size() > name.size() && origin.ends_with(name) : origin == name;
    });
}

bool is_listed_push_service(std::string_view origin, std::span<const std::string> services) noexcept {
    return std::ranges::find(services, origin) != services.end();
}

parsed<> check_push_service(std::string_view endpoint, std::span<const std::string> services) {
    const std::string origin = origin_of_endpoint(endpoint);
    if (is_known_push_service(origin) || is_listed_push_service(origin, services)) {
        return {};
    }
    return refusal{
        "unknown_push_service",
        "subscription.endpoint: " + in_quotes(origin, 80) +
            " is not a known push service; if it is one of yours, list it in app.webpush.services"};
}

}  // namespace tocsin
