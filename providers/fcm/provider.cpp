#include "providers/fcm/provider.hpp"

#include "providers/fcm/causes.hpp"

#include <utility>

namespace tocsin::fcm {

fcm_provider::fcm_provider(std::shared_ptr<service> shared, const time_source& time)
    : service_(std::move(shared)), renderer_(service_->app), time_(time) {}

parsed<std::shared_ptr<const message>> fcm_provider::render(const publish_event& event) const {
    auto rendered = renderer_.render(event, time_.wall_now());
    if (rendered.has_error()) {
        return rendered.error();
    }
    return std::shared_ptr<const message>(std::move(*rendered));
}

std::unique_ptr<channel> fcm_provider::open(const channel_context& context) {
    return std::make_unique<fcm_channel>(service_, context);
}

credential_state fcm_provider::credential() const {
    credential_state out = service_->tokens->state();
    if (service_->apple.lasts(time_.now())) {
        const cause_row& row = row_of(cause::apple_credential);
        out.problem += out.problem.empty() ? "" : ". ";
        out.problem += std::string(row.meaning) + ' ' + std::string(row.remedy);
    }
    if (auto problem = service_->health.problem()) {
        out.usable = false;
        out.problem = std::move(*problem);
    }
    return out;
}

std::string fcm_provider::explain(std::uint16_t status, std::string_view reason) const {
    return fcm::explain(status, reason);
}

}  // namespace tocsin::fcm
