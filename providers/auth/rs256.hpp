#pragma once

#include "engine/core/error.hpp"
#include "providers/auth/pem_key.hpp"

#include <string>
#include <string_view>

namespace tocsin::auth {

/// Signs with RSASSA-PKCS1-v1_5 and SHA-256 (RFC 7518, section 3.3). Threads may share one.
class rs256_signer {
public:
    /// An RSA key of at least 2048 bits, the least that the RFC allows.
    [[nodiscard]] static result<rs256_signer> from_pem(std::string_view pem);

    [[nodiscard]] result<std::string> sign(std::string_view message) const;

private:
    rs256_signer(key_handle key, digest_handle digest) noexcept;

    key_handle key_;
    digest_handle digest_;
};

}  // namespace tocsin::auth
