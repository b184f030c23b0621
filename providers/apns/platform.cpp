#include "providers/apns/platform.hpp"

#include "providers/apns/maker.hpp"
#include "providers/apns/settings.hpp"

namespace tocsin::apns {
namespace {

class descriptor final : public platform_descriptor {
public:
    [[nodiscard]] const platform_configuration& configuration() const noexcept override {
        return apns_configuration();
    }
    [[nodiscard]] std::unique_ptr<provider_maker> maker(provider_kit& kit) const override {
        return make_maker(kit);
    }
    [[nodiscard]] std::vector<provider_address> addresses(const platform_settings& settings) const override {
        const auto& given = static_cast<const apns_settings&>(settings);
        const net::tls_options tls{given.ca_file, given.certificate_file, given.certificate_key_file, {}};
        return {{given.url, tls}, {given.sandbox_url, tls}};
    }
};

}  // namespace

const platform_descriptor& describe_platform() {
    static const descriptor out;
    return out;
}

}  // namespace tocsin::apns
