#include "engine/event/registration.hpp"

#include "engine/core/json_members.hpp"
#include "engine/event/device_token.hpp"
#include "engine/event/document_fields.hpp"
#include "engine/event/json_document.hpp"
#include "engine/event/locale.hpp"
#include "engine/event/refusal_codes.hpp"
#include "engine/event/selector.hpp"
#include "engine/event/subscription.hpp"
#include "engine/event/words.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace tocsin {
namespace {

namespace json = boost::json;

constexpr auto ops = std::to_array<std::string_view>({"register", "unregister"});
constexpr auto environments = std::to_array<std::string_view>({"production", "sandbox"});

std::string element_path(std::string_view name, std::size_t index) {
    return std::string(name) + "[" + std::to_string(index) + "]";
}

template <class T>
void keep_each_once(std::vector<T>& values) {
    std::ranges::sort(values);
    const auto rest = std::ranges::unique(values);
    values.erase(rest.begin(), rest.end());
}

parsed<> read_who(const json::object& document, registration& device) {
    const std::string_view op = text_at(document, "op");
    if (op != ops[0] && op != ops[1]) {
        return refuse(
            refusal_code::invalid_op,
            "op must be register or unregister, not " + in_quotes(op) + suggestion(op, ops));
    }
    device.op = op == ops[0] ? registration_op::enroll : registration_op::withdraw;
    device.app = text_at(document, "app");
    if (auto fine = check_app(device.app, "app"); !fine) {
        return fine;
    }
    const std::string_view name = text_at(document, "platform");
    const auto kind = parse_platform(name);
    if (!kind) {
        return refuse(
            refusal_code::invalid_platform, "platform must be " + list_platforms("or") + ", not " +
                                                in_quotes(name) + suggestion(name, platform_names));
    }
    device.platform = *kind;
    return {};
}

/// The browser's own PushSubscription. Both keys are wanted even to unregister: what is sent is what the
/// browser said, or its endpoint alone as the token.
parsed<> read_subscription(const json::object& given, registration& device) {
    if (auto fine = check_fields(given, subscription_fields, "subscription"); !fine) {
        return fine;
    }
    const std::string_view endpoint = text_at(given, "endpoint");
    if (auto fine = check_endpoint(endpoint, "subscription.endpoint"); !fine) {
        return fine;
    }
    const json::object& keys = given.at("keys").get_object();
    if (auto fine = check_fields(keys, subscription_key_fields, "subscription.keys"); !fine) {
        return fine;
    }
    auto read = read_subscription_keys(text_at(keys, "p256dh"), text_at(keys, "auth"));
    if (!read) {
        return std::move(read).error();
    }
    device.token = endpoint;
    device.keys = std::move(*read);
    return {};
}

/// The platforms that have devices with this kind of address.
std::string platforms_with(platform_set platforms, device_address address) {
    std::string out;
    for (const platform_traits* const one : platforms.all()) {
        if (one->address() == address) {
            out.append(out.empty() ? "" : ", ").append(to_string(one->kind()));
        }
    }
    return out;
}

/// "subscription" where it belongs, and nowhere else; whether there is one.
parsed<> check_subscription_place(
    platform_set platforms, const json::object& document, const registration& device) {
    if (platforms[device.platform].address() != device_address::subscription) {
        return refuse(
            refusal_code::invalid_endpoint,
            "subscription is for the platform " + platforms_with(platforms, device_address::subscription) +
                "; " + std::string(to_string(device.platform)) + " has a token");
    }
    if (document.contains("token") || document.contains("fid")) {
        return refuse(
            refusal_code::token_and_subscription, "token and subscription exclude each other: keep one");
    }
    return {};
}

parsed<> read_fid(platform_set platforms, const json::object& document, registration& device) {
    if (platforms[device.platform].address() != device_address::token_or_fid) {
        return refuse(
            refusal_code::invalid_fid,
            "fid is for the platform " + platforms_with(platforms, device_address::token_or_fid));
    }
    device.token = text_at(document, "fid");
    return check_fid(device.token, "fid");
}

refusal no_token(device_address address) {
    std::string message = "token is required";
    switch (address) {
        case device_address::token: break;
        case device_address::token_or_fid: message = "token (or fid) is required"; break;
        case device_address::subscription:
            message = "subscription (or its endpoint as token) is required";
            break;
    }
    return refuse(refusal_code::missing_field, std::move(message));
}

parsed<> read_token(platform_set platforms, const json::object& document, registration& device) {
    if (const auto* given = document.if_contains("subscription")) {
        if (auto fine = check_subscription_place(platforms, document, device); !fine) {
            return fine;
        }
        return read_subscription(given->get_object(), device);
    }
    const platform_traits& traits = platforms[device.platform];
    if (traits.address() == device_address::subscription && device.op == registration_op::enroll) {
        return refuse(
            refusal_code::missing_field,
            "subscription is required: what the browser's PushSubscription.toJSON() says");
    }
    const bool has_token = document.contains("token");
    device.is_fid = document.contains("fid");
    if (has_token && device.is_fid) {
        return refuse(refusal_code::token_and_fid, "token and fid exclude each other: keep one");
    }
    if (device.is_fid) {
        return read_fid(platforms, document, device);
    }
    if (!has_token) {
        return no_token(traits.address());
    }
    const std::string_view token = text_at(document, "token");
    if (auto fine = traits.check_token(token, "token"); !fine) {
        return fine;
    }
    device.token = traits.stored_token(token);
    return {};
}

parsed<> read_follow(platform_set platforms, const json::object& document, registration& device) {
    const auto* given = document.if_contains("follow");
    if (given == nullptr) {
        return device.op == registration_op::withdraw
                   ? parsed<>()
                   : refuse(refusal_code::missing_field, "follow is required to register");
    }
    const json::array& territories = given->get_array();
    if (territories.empty() && device.op == registration_op::enroll) {
        return refuse(refusal_code::empty_follow, "follow is empty; to follow nothing, unregister");
    }
    if (territories.size() > max_follows) {
        return refuse(
            refusal_code::too_many_follows,
            "follow has " + std::to_string(territories.size()) + " territories; at most 100 are allowed");
    }
    device.follow.reserve(territories.size());
    for (std::size_t i = 0; i < territories.size(); ++i) {
        const std::string path = element_path("follow", i);
        if (!territories[i].is_string()) {
            return wrong_type(path, json_kind::string, territories[i]);
        }
        auto one = parse_followed(platforms, text_of(territories[i]), path);
        if (!one) {
            return std::move(one).error();
        }
        device.follow.push_back(std::move(*one));
    }
    keep_each_once(device.follow);
    return {};
}

parsed<> read_mute(const json::object& document, registration& device) {
    const auto* given = document.if_contains("mute");
    if (given == nullptr) {
        return {};
    }
    const json::array& categories = given->get_array();
    if (categories.size() > max_mutes) {
        return refuse(
            refusal_code::too_many_mutes,
            "mute has " + std::to_string(categories.size()) + " categories; at most 32 are allowed");
    }
    for (std::size_t i = 0; i < categories.size(); ++i) {
        const std::string path = element_path("mute", i);
        if (!categories[i].is_string()) {
            return wrong_type(path, json_kind::string, categories[i]);
        }
        const std::string_view category = text_of(categories[i]);
        if (auto fine = check_category(category, path); !fine) {
            return fine;
        }
        device.mute.emplace_back(category);
    }
    keep_each_once(device.mute);
    return {};
}

parsed<> read_environment(const platform_traits& traits, const json::object& document, registration& device) {
    if (!document.contains("environment")) {
        return {};
    }
    const std::string_view name = text_at(document, "environment");
    if (name != environments[0] && name != environments[1]) {
        return refuse(
            refusal_code::invalid_environment, "environment must be production or sandbox, not " +
                                                   in_quotes(name) + suggestion(name, environments));
    }
    device.sandbox = name == environments[1];
    if (device.sandbox && !traits.has_sandbox()) {
        return refuse(
            refusal_code::invalid_environment,
            "environment: " + std::string(traits.title()) + " has no sandbox");
    }
    return {};
}

parsed<> read_registered_at(const json::object& document, wall_time now, registration& device) {
    using std::chrono::seconds;
    device.registered_at = std::chrono::floor<seconds>(now);
    const auto* value = document.if_contains("registered_at");
    if (value == nullptr) {
        return {};
    }
    const auto when = read_time(*value, "registered_at");
    if (!when) {
        return when.error();
    }
    if (*when - now > std::chrono::days(1)) {
        return refuse(
            refusal_code::registered_in_future,
            "registered_at must be in Unix seconds and lie in the past, not " +
                std::to_string(value->get_int64()));
    }
    device.registered_at = *when;
    return {};
}

}  // namespace

parsed<registration> parse_registration(platform_set platforms, std::string_view json, wall_time now) {
    auto document = parse_document(json, document_limits{.max_bytes = max_registration_bytes});
    if (!document) {
        return std::move(document).error();
    }
    if (auto fine = check_fields(*document, registration_fields, ""); !fine) {
        return std::move(fine).error();
    }
    registration device;
    if (auto fine = read_who(*document, device); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_token(platforms, *document, device); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_follow(platforms, *document, device); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_mute(*document, device); !fine) {
        return std::move(fine).error();
    }
    if (const auto* locale = document->if_contains("locale")) {
        auto spelled = normalize_locale(text_of(*locale), "locale");
        if (!spelled) {
            return std::move(spelled).error();
        }
        device.locale = std::move(*spelled);
    }
    if (auto fine = read_environment(platforms[device.platform], *document, device); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_registered_at(*document, now, device); !fine) {
        return std::move(fine).error();
    }
    return device;
}

std::string to_json(platform_set platforms, const registration& device) {
    json::object document;
    document.emplace("op", ops[static_cast<std::size_t>(device.op)]);
    document.emplace("app", device.app);
    document.emplace("platform", to_string(device.platform));
    if (device.keys.empty()) {
        document.emplace(
            device.is_fid ? "fid" : "token", platforms[device.platform].written_token(device.token));
    } else {
        json::object keys;
        keys.emplace("p256dh", written_p256dh(device.keys));
        keys.emplace("auth", written_auth(device.keys));
        json::object subscription;
        subscription.emplace("endpoint", device.token);
        subscription.emplace("keys", std::move(keys));
        document.emplace("subscription", std::move(subscription));
    }
    if (!device.follow.empty()) {
        json::array follow;
        for (const territory& where : device.follow) {
            follow.emplace_back(selector_of(where));
        }
        document.emplace("follow", std::move(follow));
    }
    if (!device.mute.empty()) {
        document.emplace("mute", json::array(device.mute.begin(), device.mute.end()));
    }
    if (!device.locale.empty()) {
        document.emplace("locale", device.locale);
    }
    if (device.sandbox) {
        document.emplace("environment", environments[1]);
    }
    document.emplace(
        "registered_at",
        std::chrono::floor<std::chrono::seconds>(device.registered_at).time_since_epoch().count());
    return json::serialize(document);
}

}  // namespace tocsin
