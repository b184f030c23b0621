#include "providers/fcm/platform.hpp"

#include "providers/fcm/maker.hpp"
#include "providers/fcm/settings.hpp"
#include "providers/fcm/token_probe.hpp"

namespace tocsin::fcm {
namespace {

class descriptor final : public platform_descriptor {
public:
    [[nodiscard]] const platform_configuration& configuration() const noexcept override {
        return fcm_configuration();
    }
    [[nodiscard]] std::unique_ptr<provider_maker> maker(provider_kit& kit) const override {
        return make_maker(kit);
    }
    [[nodiscard]] std::vector<provider_address> addresses(const platform_settings& settings) const override {
        const auto& given = static_cast<const fcm_settings&>(settings);
        return {{given.url, {given.ca_file, {}, {}, {}}}};
    }
    [[nodiscard]] std::optional<credential_probe> probe(const platform_settings& settings) const override {
        const auto& given = static_cast<const fcm_settings&>(settings);
        return credential_probe{
            given.service_account_file + '\n' + given.ca_file,
            [given](const std::string& app) { return ask_for_token(app, given); }};
    }
};

}  // namespace

const platform_descriptor& describe_platform() {
    static const descriptor out;
    return out;
}

}  // namespace tocsin::fcm
