#pragma once

#include "engine/core/error.hpp"
#include "tools/simulator/credentials.hpp"
#include "tools/simulator/options.hpp"
#include "tools/simulator/pki.hpp"

#include <filesystem>
#include <string>

namespace tocsin::sim {

/// The simulator's directory: what a client needs to trust it and to be trusted by it.
///
///     ca.pem  ca-key.pem                      the authority that signs the servers' certificate
///     AuthKey_<key id>.p8                     one APNs key per key id
///     <app>-client.pem  <app>-client-key.pem  APNs certificate of each app, for mutual TLS
///     service-account-<project>.json          one per FCM project
///     vapid-<app>.pem                         the key that an app's browsers subscribe with
///     push-secret                             what the browsers are made of
///     oauth-secret                            what access tokens are signed with
///     tocsin.toml                             ready to serve with; written anew at each start
///
/// Everything but tocsin.toml is kept from run to run, and made anew when it is missing or unusable.
class workspace {
public:
    /// Refuses a directory that cannot be written, and one that holds other people's files.
    [[nodiscard]] static parsed<workspace> open(const simulator_options& options);

    /// Writes the service accounts and tocsin.toml, once the ports are known.
    [[nodiscard]] parsed<> write_configuration(
        const simulator_options& options, const bound_ports& ports) const;

    [[nodiscard]] const authority& ca() const noexcept { return ca_; }
    [[nodiscard]] const credentials& known() const noexcept { return known_; }
    [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

private:
    workspace(std::filesystem::path directory, authority ca)
        : directory_(std::move(directory)), ca_(std::move(ca)) {}

    [[nodiscard]] parsed<> load_app(const app_options& app);
    [[nodiscard]] parsed<> load_client_certificate(const app_options& app) const;
    [[nodiscard]] parsed<> load_project(const std::string& project_id);
    [[nodiscard]] parsed<> load_vapid_key(const app_options& app);
    [[nodiscard]] parsed<std::string> load_secret(const std::string& name) const;

    std::filesystem::path directory_;
    authority ca_;
    credentials known_;
};

/// The host of the URLs that lead to `address`: itself, or localhost for "all interfaces".
[[nodiscard]] std::string url_host(const std::string& address);

/// The OAuth endpoint's URL, which is also the audience of an assertion.
[[nodiscard]] std::string token_uri(const std::string& address, std::uint16_t port);

/// The origin of the push service: by name, since no endpoint may have an address.
[[nodiscard]] std::string push_origin(std::uint16_t port);

/// tocsin.toml in the form that `tocsin serve` reads, with paths relative to the directory.
[[nodiscard]] std::string configuration_text(const simulator_options& options, const bound_ports& ports);

}  // namespace tocsin::sim
