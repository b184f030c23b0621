#include "providers/provider_kit.hpp"

#include <utility>

namespace tocsin {

provider_kit::provider_kit(const provider_runtime& runtime)
    : runtime_(runtime),
      random_(runtime.random_seed),
      connections_(
          std::make_shared<connection_registry>(runtime.threads, runtime.time, runtime.log, random_())) {}

parsed<std::shared_ptr<net::tls_context>> provider_kit::tls(
    const std::string& alpn, const std::string& ca_file, const std::string& certificate_file,
    const std::string& certificate_key_file) {
    auto& place = tls_[{ca_file, certificate_file, certificate_key_file, alpn}];
    if (place == nullptr) {
        auto made = net::tls_context::create({ca_file, certificate_file, certificate_key_file, alpn});
        if (made.has_error()) {
            return made.error();
        }
        place = std::move(*made);
    }
    return place;
}

parsed<https_url> base_url(const std::string& text, std::string_view key) {
    auto url = parse_https_url(text, key);
    if (url.has_value() && url->target != "/") {
        return refusal{std::string(key), std::string(key) + ": \"" + text + "\" may have no path"};
    }
    if (url.has_error()) {
        return refusal{std::string(key), url.error().message};
    }
    return url;
}

}  // namespace tocsin
