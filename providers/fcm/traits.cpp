#include "providers/fcm/traits.hpp"

#include <algorithm>
#include <array>

namespace tocsin::fcm {
namespace {

// Bounds that hold every token that is given out today. One is spliced into a body without being escaped.
constexpr std::size_t min_token = 20;
constexpr std::size_t max_token = 1024;

constexpr std::string_view bad_token = "invalid_fcm_token";
constexpr auto codes = std::to_array<refusal_row>({{bad_token, "not the form of an FCM registration token"}});

parsed<> check(std::string_view token, std::string_view path) {
    const auto refused = [&](const std::string& why) {
        return refusal{std::string(bad_token), std::string(path) + ": an FCM token " + why};
    };
    if (token.size() < min_token || token.size() > max_token) {
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

class fcm_traits final : public platform_traits {
public:
    [[nodiscard]] platform kind() const noexcept override { return platform::fcm; }
    [[nodiscard]] std::string_view title() const noexcept override { return "FCM"; }
    [[nodiscard]] device_address address() const noexcept override { return device_address::token_or_fid; }
    [[nodiscard]] parsed<> check_token(std::string_view token, std::string_view path) const override {
        return check(token, path);
    }
    [[nodiscard]] bool reserves(std::string_view data_key) const noexcept override {
        return data_key == "from" || data_key == "message_type" || data_key.starts_with("google") ||
               data_key.starts_with("gcm");
    }
    [[nodiscard]] bool validates(const boost::json::object& own) const override {
        const auto* const given = own.if_contains("validate_only");
        return given != nullptr && given->is_bool() && given->as_bool();
    }
    [[nodiscard]] std::span<const refusal_row> refusals() const noexcept override { return codes; }
};

}  // namespace

const platform_traits& traits() {
    static const fcm_traits out;
    return out;
}

}  // namespace tocsin::fcm
