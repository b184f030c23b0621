#pragma once

#include "tools/simulator/credentials.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::sim {

/// What an OAuth access token of this simulator stands for.
struct access_grant {
    std::size_t project = 0;      ///< Index in credentials::projects.
    std::int64_t issued_ms = 0;   ///< Since 1970.
    std::int64_t expires_ms = 0;  ///< Since 1970.
};

/// A bearer of 1,024 characters, as long as Google's. It carries its grant and an HMAC, so any thread
/// can check one without asking who issued it.
[[nodiscard]] std::string issue_access_token(const credentials& known, const access_grant& grant);

/// Empty unless the token was issued with this secret for a project that still exists; expiry is the
/// caller's to check.
[[nodiscard]] std::optional<access_grant> read_access_token(const credentials& known, std::string_view token);

}  // namespace tocsin::sim
