#include "providers/platforms.hpp"

#include "providers/apns/platform.hpp"
#include "providers/fcm/platform.hpp"
#include "providers/webpush/platform.hpp"

#include <algorithm>
#include <array>

namespace tocsin {

std::span<const platform_descriptor* const> all_platforms() {
    static const std::array<const platform_descriptor*, platform_count> all{
        &apns::describe_platform(), &fcm::describe_platform(), &webpush::describe_platform()};
    return all;
}

platform_configurations all_platform_configurations() {
    static const auto all = [] {
        std::array<const platform_configuration*, platform_count> out{};
        std::ranges::transform(all_platforms(), out.begin(), [](const platform_descriptor* one) {
            return &one->configuration();
        });
        return out;
    }();
    return all;
}

std::string_view configuration_example() noexcept {
    return R"([redis]
url = "redis://127.0.0.1:6379/0"

[[app]]
id = "mairies"
communes = ["*"]

  [app.apns]
  topic = "fr.example.mairies"
  team_id = "ABCDE12345"
  key_id = "KEY1234567"
  key_file = "AuthKey_KEY1234567.p8"

  [app.fcm]
  service_account_file = "service-account.json"
  rate = 9000

[[app]]
id = "dijon"
communes = ["21231"]

  [app.fcm]
  service_account_file = "dijon.json"
)";
}

}  // namespace tocsin
