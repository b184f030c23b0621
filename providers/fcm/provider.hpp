#pragma once

#include "engine/delivery/provider.hpp"
#include "providers/fcm/channel.hpp"
#include "providers/fcm/renderer.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace tocsin::fcm {

/// One app on Firebase Cloud Messaging.
class fcm_provider final : public provider {
public:
    fcm_provider(std::shared_ptr<service> shared, const time_source& time);

    [[nodiscard]] const std::string& app() const noexcept override { return service_->app; }
    [[nodiscard]] platform kind() const noexcept override { return platform::fcm; }
    [[nodiscard]] parsed<std::shared_ptr<const message>> render(const publish_event& event) const override;
    [[nodiscard]] std::unique_ptr<channel> open(const channel_context& context) override;
    [[nodiscard]] credential_state credential() const override;
    [[nodiscard]] std::chrono::milliseconds retry_floor() const noexcept override {
        return std::chrono::seconds(10);  // Google, "Scale FCM": the least interval between tries.
    }
    [[nodiscard]] std::string quota() const override { return "fcm:" + service_->path; }
    [[nodiscard]] std::string explain(std::uint16_t status, std::string_view reason) const override;

private:
    std::shared_ptr<service> service_;
    renderer renderer_;
    const time_source& time_;
};

}  // namespace tocsin::fcm
