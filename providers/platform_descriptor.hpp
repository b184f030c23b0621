#pragma once

#include "engine/net/tls_context.hpp"
#include "engine/ops/platform_configuration.hpp"
#include "providers/handshake_report.hpp"
#include "providers/provider_kit.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tocsin {

/// A server that an app sends to, as `tocsin check-config --online` tries it.
struct provider_address {
    std::string url;
    net::tls_options tls;
};

/// A credential that is tried by asking somebody for something with it.
struct credential_probe {
    std::string identity;  ///< Apps with the same one share the credential: it is tried once.
    /// Asks, as the engine would, ten seconds at most, and throws away what it gets. Blocks.
    std::function<handshake_report(const std::string& app)> ask;
};

/// A platform, as its provider's folder describes it: what there is to ask before an app can send. All
/// `settings` are of the platform's own kind.
class platform_descriptor {
public:
    virtual ~platform_descriptor() = default;
    platform_descriptor() = default;
    platform_descriptor(const platform_descriptor&) = delete;
    platform_descriptor& operator=(const platform_descriptor&) = delete;

    [[nodiscard]] virtual const platform_configuration& configuration() const noexcept = 0;
    [[nodiscard]] virtual std::unique_ptr<provider_maker> maker(provider_kit& kit) const = 0;
    [[nodiscard]] virtual std::vector<provider_address> addresses(
        const platform_settings& settings) const = 0;
    /// Nothing if only a push shows what the credential is worth.
    [[nodiscard]] virtual std::optional<credential_probe> probe(const platform_settings& settings) const {
        static_cast<void>(settings);
        return std::nullopt;
    }
};

}  // namespace tocsin
