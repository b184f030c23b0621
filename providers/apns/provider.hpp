#pragma once

#include "engine/delivery/provider.hpp"
#include "providers/apns/channel.hpp"
#include "providers/apns/renderer.hpp"
#include "providers/auth/certificate.hpp"

#include <memory>
#include <optional>
#include <string>

namespace tocsin::apns {

/// One app on Apple's push service.
class apns_provider final : public provider {
public:
    /// `certificate` is there exactly if the service has no token.
    apns_provider(
        std::shared_ptr<service> shared, const std::string& topic,
        std::optional<auth::certificate_validity> certificate, const time_source& time);

    [[nodiscard]] const std::string& app() const noexcept override { return service_->app; }
    [[nodiscard]] platform kind() const noexcept override { return platform::apns; }
    [[nodiscard]] parsed<std::shared_ptr<const message>> render(const publish_event& event) const override;
    [[nodiscard]] std::unique_ptr<channel> open(const channel_context& context) override;
    [[nodiscard]] credential_state credential() const override;
    [[nodiscard]] std::string explain(std::uint16_t status, std::string_view reason) const override;

private:
    std::shared_ptr<service> service_;
    renderer renderer_;
    std::optional<auth::certificate_validity> certificate_;
    const time_source& time_;
};

}  // namespace tocsin::apns
