#include "providers/webpush/traits.hpp"

#include "engine/event/subscription.hpp"

namespace tocsin::webpush {
namespace {

class webpush_traits final : public platform_traits {
public:
    [[nodiscard]] platform kind() const noexcept override { return platform::webpush; }
    [[nodiscard]] std::string_view title() const noexcept override { return "Web Push"; }
    [[nodiscard]] device_address address() const noexcept override { return device_address::subscription; }
    [[nodiscard]] parsed<> check_token(std::string_view token, std::string_view path) const override {
        return check_endpoint(token, path);
    }
};

}  // namespace

const platform_traits& traits() {
    static const webpush_traits out;
    return out;
}

}  // namespace tocsin::webpush
