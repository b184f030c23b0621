#include "providers/auth/service_account.hpp"

#include "providers/auth/service_account_file.hpp"

#include <utility>

namespace tocsin::auth {

parsed<service_account> parse_service_account(std::string_view json) {
    auto file = read_service_account_file(json);
    if (file.has_error()) {
        return file.error();
    }
    auto endpoint = parse_https_url(file->token_uri, "token_uri");
    if (endpoint.has_error()) {
        return refusal{"token_uri", endpoint.error().message};
    }
    auto signer = rs256_signer::from_pem(file->private_key);
    if (signer.has_error()) {
        return refusal{"private_key", "private_key is not an RSA private key of 2048 bits or more in PEM"};
    }
    return service_account{std::move(file->project_id),   std::move(file->private_key_id),
                           std::move(file->client_email), std::move(file->token_uri),
                           std::move(*endpoint),          std::move(*signer)};
}

}  // namespace tocsin::auth
