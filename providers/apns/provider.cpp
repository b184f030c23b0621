#include "providers/apns/provider.hpp"

#include "engine/core/rfc3339.hpp"
#include "providers/apns/reasons.hpp"

#include <utility>

namespace tocsin::apns {

apns_provider::apns_provider(
    std::shared_ptr<service> shared, const std::string& topic,
    std::optional<auth::certificate_validity> certificate, const time_source& time)
    : service_(std::move(shared)),
      renderer_(service_->app, topic, certificate.has_value()),
      certificate_(certificate),
      time_(time) {}

parsed<std::shared_ptr<const message>> apns_provider::render(const publish_event& event) const {
    auto rendered = renderer_.render(event);
    if (rendered.has_error()) {
        return rendered.error();
    }
    return std::shared_ptr<const message>(std::move(*rendered));
}

std::unique_ptr<channel> apns_provider::open(const channel_context& context) {
    return std::make_unique<apns_channel>(service_, context);
}

credential_state apns_provider::credential() const {
    credential_state out;
    if (service_->token != nullptr) {
        out = service_->token->state();
    } else if (certificate_) {
        out.issued_at = certificate_->from;
        out.expires_at = certificate_->until;
        if (certificate_->until <= time_.wall_now()) {
            out.usable = false;
            out.problem = "the APNs certificate ended at " + format_rfc3339(certificate_->until);
        }
    }
    if (auto problem = service_->health.problem()) {
        out.usable = false;
        out.problem = std::move(*problem);
    }
    return out;
}

std::string apns_provider::explain(std::uint16_t status, std::string_view reason) const {
    return apns::explain(status, reason);
}

}  // namespace tocsin::apns
