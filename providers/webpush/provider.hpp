#pragma once

#include "engine/delivery/provider.hpp"
#include "providers/webpush/channel.hpp"
#include "providers/webpush/renderer.hpp"

#include <memory>
#include <string>

namespace tocsin::webpush {

/// One app in browsers.
class webpush_provider final : public provider {
public:
    /// `url` is what a tap opens where an event says nothing.
    webpush_provider(std::shared_ptr<service> shared, std::string url);

    [[nodiscard]] const std::string& app() const noexcept override { return service_->app; }
    [[nodiscard]] platform kind() const noexcept override { return platform::webpush; }
    [[nodiscard]] parsed<std::shared_ptr<const message>> render(const publish_event& event) const override;
    [[nodiscard]] std::unique_ptr<channel> open(const channel_context& context) override;
    [[nodiscard]] credential_state credential() const override;
    [[nodiscard]] std::string explain(std::uint16_t status, std::string_view reason) const override;

private:
    std::shared_ptr<service> service_;
    renderer renderer_;
};

}  // namespace tocsin::webpush
