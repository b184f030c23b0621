#include "providers/webpush/traits.hpp"

#include "engine/event/subscription.hpp"

#include <array>

namespace tocsin::webpush {
namespace {

constexpr auto endpoint_beginnings = std::to_array<token_beginning>({
    {"https://fcm.googleapis.com/fcm/send/", ""},
    {"https://fcm.googleapis.com/wp/", ""},
    {"https://fcm.googleapis.com/", ""},
    {"https://updates.push.services.mozilla.com/wpush/v2/", ""},
    {"https://updates.push.services.mozilla.com/wpush/v1/", ""},
    {"https://updates.push.services.mozilla.com/", ""},
    {"https://web.push.apple.com/", ""},
    {"https://", ".push.apple.com"},
    {"https://", ".notify.windows.com"},
    {"https://", ""},
    {"", ""},
});

class webpush_traits final : public platform_traits {
public:
    [[nodiscard]] platform kind() const noexcept override { return platform::webpush; }
    [[nodiscard]] std::string_view title() const noexcept override { return "Web Push"; }
    [[nodiscard]] device_address address() const noexcept override { return device_address::subscription; }
    [[nodiscard]] parsed<> check_token(std::string_view token, std::string_view path) const override {
        return check_endpoint(token, path);
    }
    [[nodiscard]] token_beginnings beginnings() const noexcept override { return endpoint_beginnings; }
};

}  // namespace

const platform_traits& traits() {
    static const webpush_traits out;
    return out;
}

}  // namespace tocsin::webpush
