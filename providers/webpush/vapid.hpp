#pragma once

#include "engine/core/clock.hpp"
#include "providers/auth/es256.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace tocsin::webpush {

/// The authorization field for one origin (RFC 8292).
struct vapid_header {
    std::string value;  ///< "vapid t=…, k=…"
    wall_time issued_at{};
    wall_time renew_at{};
};

/// How we tell push services who we are: one token for each key and origin, for all threads and all apps with
/// that key.
///
/// Apple wants a token to be kept for an hour at least, and every service refuses one that is valid for more
/// than 24 hours. So each lives for 12 and is replaced after 8; earlier, but never within its first hour,
/// only if a service has refused it.
class vapid_tokens {
public:
    vapid_tokens(auth::es256_signer signer, std::string public_key, std::string subject);

    /// Null only if signing failed.
    [[nodiscard]] std::shared_ptr<const vapid_header> get(const std::string& origin, wall_time now);

    /// A service refused `refused`. True if there is a newer one to try.
    [[nodiscard]] bool renew_after_refusal(
        const std::string& origin, const vapid_header& refused, wall_time now);

    /// Of the newest token; empty before the first.
    [[nodiscard]] std::optional<wall_time> newest() const;

private:
    using header_pointer = std::shared_ptr<const vapid_header>;

    [[nodiscard]] header_pointer mint(const std::string& origin, wall_time now) const;

    const auth::es256_signer signer_;
    const std::string public_key_;  ///< base64url
    const std::string subject_;

    mutable std::mutex mutex_;  // Taken once in hours for each thread and origin.
    boost::unordered_flat_map<std::string, header_pointer> by_origin_;
    std::optional<wall_time> newest_;
};

}  // namespace tocsin::webpush
