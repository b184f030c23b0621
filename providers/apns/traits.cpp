#include "providers/apns/traits.hpp"

#include "engine/core/text.hpp"

#include <algorithm>
#include <array>

namespace tocsin::apns {
namespace {

constexpr std::string_view bad_token = "invalid_apns_token";
constexpr auto codes = std::to_array<refusal_row>({{bad_token, "not the form of an APNs device token"}});

parsed<> check(std::string_view token, std::string_view path) {
    const auto refused = [&](const std::string& why) {
        return refusal{std::string(bad_token), std::string(path) + ": an APNs token " + why};
    };
    if (token.size() % 2 != 0) {
        return refused("is hex of even length, not of " + std::to_string(token.size()) + " digits");
    }
    if (token.size() < 2 * min_token || token.size() > 2 * max_token) {
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

class apns_traits final : public platform_traits {
public:
    [[nodiscard]] platform kind() const noexcept override { return platform::apns; }
    [[nodiscard]] std::string_view title() const noexcept override { return "APNs"; }
    [[nodiscard]] bool has_sandbox() const noexcept override { return true; }
    [[nodiscard]] parsed<> check_token(std::string_view token, std::string_view path) const override {
        return check(token, path);
    }
    [[nodiscard]] std::string stored_token(std::string_view written) const override {
        return from_hex(written).value_or(std::string());
    }
    [[nodiscard]] std::string written_token(std::string_view stored) const override { return to_hex(stored); }
    [[nodiscard]] bool reserves(std::string_view data_key) const noexcept override {
        return data_key == "aps";
    }
    /// A widget, a Live Activity or a call has nothing to show: what it says is `aps`.
    [[nodiscard]] bool is_content(const boost::json::object& own) const override {
        const auto* const aps = own.if_contains("aps");
        return aps != nullptr && aps->is_object() && !aps->get_object().empty();
    }
    [[nodiscard]] std::span<const refusal_row> refusals() const noexcept override { return codes; }
};

}  // namespace

const platform_traits& traits() {
    static const apns_traits out;
    return out;
}

}  // namespace tocsin::apns
