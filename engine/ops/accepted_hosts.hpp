#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// Which names a request may ask for, in its Host field.
///
/// A page from elsewhere can have its own name resolve to our address (DNS rebinding); the browser then takes
/// us for a part of that page and lets it read every answer. But it still asks for that name. So what nobody
/// outside can own is accepted: addresses, since nothing is resolved for them; names without a dot and those
/// under special-use domains
/// (.localhost, .local, .internal, .test, .home.arpa, and Kubernetes' .svc and .cluster.local), since public
/// DNS has no such hosts; and what is configured.
class accepted_hosts {
public:
    /// Accepts `name` as well: "tocsin.example.org", or "*.example.org" for all below it.
    void add(std::string_view name);

    /// `field`: the Host field as it was sent, "127.0.0.1:9464".
    [[nodiscard]] bool accepts(std::string_view field) const;

private:
    std::vector<std::string> names_;  ///< In lower case.
};

/// Whether `name` can be configured: a host name or "*." and a domain, without scheme and port.
[[nodiscard]] bool is_host_pattern(std::string_view name) noexcept;

}  // namespace tocsin
