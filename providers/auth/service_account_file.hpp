#pragma once

#include "engine/core/error.hpp"

#include <string>
#include <string_view>

namespace tocsin {

/// What Google's console writes into the key file of a service account, as far as sending needs it.
struct service_account_file {
    std::string project_id;  ///< Empty if the file names none.
    std::string private_key_id;
    std::string private_key;  ///< PEM, in its own lines; not yet known to be a key.
    std::string client_email;
    std::string token_uri;  ///< Not yet known to be a URL.
};

/// What is said of a file without a project where the configuration names none either.
inline constexpr std::string_view no_project =
    "has no \"project_id\", and app.fcm.project_id names none in its place";

/// Reads the contents of such a file. `code` of a refusal is the member that is wrong, or "json"; its message
/// goes on after the name of the file, and holds nothing of the key.
[[nodiscard]] parsed<service_account_file> read_service_account_file(std::string_view contents);

}  // namespace tocsin
