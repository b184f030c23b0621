#include "providers/webpush/provider.hpp"

#include "providers/webpush/answers.hpp"

#include <new>
#include <utility>

namespace tocsin::webpush {

webpush_provider::webpush_provider(std::shared_ptr<service> shared, std::string url)
    : service_(std::move(shared)), renderer_(service_->app, std::move(url)) {}

parsed<std::shared_ptr<const message>> webpush_provider::render(const publish_event& event) const {
    auto rendered = renderer_.render(event);
    if (rendered.has_error()) {
        return rendered.error();
    }
    return std::shared_ptr<const message>(std::move(*rendered));
}

std::unique_ptr<channel> webpush_provider::open(const channel_context& context) {
    auto cipher = encryptor::create(service_->keys);
    if (cipher.has_error()) {
        throw std::bad_alloc();  // The algorithms were there when the app was configured.
    }
    return std::make_unique<webpush_channel>(service_, std::move(*cipher), context);
}

credential_state webpush_provider::credential() const {
    credential_state out;
    out.issued_at = service_->tokens->newest();
    if (auto problem = service_->health.problem()) {
        out.usable = false;
        out.problem = std::move(*problem);
    }
    return out;
}

std::string webpush_provider::explain(std::uint16_t status, std::string_view reason) const {
    return webpush::explain(status, reason);
}

}  // namespace tocsin::webpush
