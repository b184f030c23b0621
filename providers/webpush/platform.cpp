#include "providers/webpush/platform.hpp"

#include "providers/webpush/maker.hpp"
#include "providers/webpush/settings.hpp"

namespace tocsin::webpush {
namespace {

class descriptor final : public platform_descriptor {
public:
    [[nodiscard]] const platform_configuration& configuration() const noexcept override {
        return webpush_configuration();
    }
    [[nodiscard]] std::unique_ptr<provider_maker> maker(provider_kit& kit) const override {
        return make_maker(kit);
    }
    [[nodiscard]] std::vector<provider_address> addresses(const platform_settings& settings) const override {
        const auto& given = static_cast<const webpush_settings&>(settings);
        // Who lists services of his own may be where there are no others.
        std::vector<std::string> origins = given.services;
        if (origins.empty()) {
            origins.assign(
                {"https://fcm.googleapis.com", "https://updates.push.services.mozilla.com",
                 "https://web.push.apple.com"});
        }
        std::vector<provider_address> out;
        for (std::string& origin : origins) {
            out.push_back({std::move(origin), {given.ca_file, {}, {}, {}}});
        }
        return out;
    }
};

}  // namespace

const platform_descriptor& describe_platform() {
    static const descriptor out;
    return out;
}

}  // namespace tocsin::webpush
