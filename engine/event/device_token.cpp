#include "engine/event/device_token.hpp"

#include "engine/core/text.hpp"
#include "engine/event/refusal_codes.hpp"
#include "engine/event/subscription.hpp"

#include <algorithm>

namespace tocsin {
namespace {

parsed<> check_apns(std::string_view token, std::string_view path) {
    const auto refused = [&](const std::string& why) {
        return refuse(refusal_code::invalid_apns_token, std::string(path) + ": an APNs token " + why);
    };
    if (token.size() % 2 != 0) {
        return refused("is hex of even length, not of " + std::to_string(token.size()) + " digits");
    }
    if (token.size() < 2 * min_apns_token || token.size() > 2 * max_apns_token) {
        return refused("has 16 to 200 bytes (32 to 400 hex digits), not " + std::to_string(token.size() / 2));
    }
    const auto odd = std::ranges::find_if(token, [](char c) {
        return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
    });
    if (odd != token.end()) {
        return refused("is hex, which character " + std::to_string(odd - token.begin()) + " is not");
    }
    return {};
}

parsed<> check_fcm(std::string_view token, std::string_view path) {
    const auto refused = [&](const std::string& why) {
        return refuse(refusal_code::invalid_fcm_token, std::string(path) + ": an FCM token " + why);
    };
    if (token.size() < min_fcm_token || token.size() > max_fcm_token) {
        return refused("has 20 to 1024 characters, not " + std::to_string(token.size()));
    }
    const auto odd = std::ranges::find_if(
        token, [](char c) { return c <= ' ' || c > '~' || c == '"' || c == '\'' || c == '\\'; });
    if (odd != token.end()) {
        return refused(
            "is printable ASCII without spaces, quotes and backslashes, which byte " +
            std::to_string(odd - token.begin()) + " is not");
    }
    return {};
}

}  // namespace

parsed<> check_token(platform kind, std::string_view token, std::string_view path) {
    switch (kind) {
        case platform::apns: return check_apns(token, path);
        case platform::fcm: return check_fcm(token, path);
        case platform::webpush: return check_endpoint(token, path);
    }
    return check_fcm(token, path);
}

parsed<> check_fid(std::string_view fid, std::string_view path) {
    if (fid.size() < min_fid || fid.size() > max_fid) {
        return refuse(
            refusal_code::invalid_fid, std::string(path) +
                                           ": a Firebase installation id has 10 to 64 characters, not " +
                                           std::to_string(fid.size()));
    }
    if (!is_word(fid, "-_")) {
        return refuse(
            refusal_code::invalid_fid,
            std::string(path) + ": a Firebase installation id is made of A-Z a-z 0-9 - _");
    }
    return {};
}

std::string stored_token(platform kind, std::string_view written) {
    return kind == platform::apns ? from_hex(written).value_or(std::string()) : std::string(written);
}

std::string written_token(platform kind, std::string_view stored) {
    return kind == platform::apns ? to_hex(stored) : std::string(stored);
}

}  // namespace tocsin
