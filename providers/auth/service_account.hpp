#pragma once

#include "engine/core/error.hpp"
#include "providers/auth/rs256.hpp"
#include "providers/common/https_url.hpp"

#include <string>
#include <string_view>

namespace tocsin::auth {

/// A Google service account's key file, checked.
struct service_account {
    std::string project_id;  ///< Empty if the file names none.
    std::string private_key_id;
    std::string client_email;
    std::string token_uri;  ///< As written: the audience of the assertion.
    https_url token_endpoint;
    rs256_signer signer;
};

/// Reads the JSON that Google's console hands out. `code` of a refusal is the field that is wrong; its
/// message goes on after the name of the file.
[[nodiscard]] parsed<service_account> parse_service_account(std::string_view json);

}  // namespace tocsin::auth
