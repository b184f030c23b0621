#pragma once

#include "engine/core/c_handle.hpp"
#include "engine/core/error.hpp"

#include <openssl/evp.h>

#include <string>
#include <string_view>

namespace tocsin::auth {

using key_handle = c_handle<EVP_PKEY, EVP_PKEY_free>;
using digest_handle = c_handle<EVP_MD, EVP_MD_free>;

/// A private key in PEM, also one whose line breaks were escaped or lost (engine/core/pem_text.hpp); null if
/// it is none, or if it asks for a pass phrase.
[[nodiscard]] key_handle read_private_key(std::string_view text);

[[nodiscard]] bool is_p256(const EVP_PKEY* key) noexcept;
[[nodiscard]] bool is_rsa(const EVP_PKEY* key) noexcept;
/// Of an RSA key: 2048 bits or more.
[[nodiscard]] bool is_long_enough(const EVP_PKEY* rsa) noexcept;

/// Whether a file that only its owner may read holds a private key on P-256, in PEM. `hint` ends the sentence
/// about one that holds none; `service` is who takes no other.
[[nodiscard]] parsed<> check_p256_file(
    const std::string& path, std::string_view hint, std::string_view service);

/// A new private key on P-256, in PEM (PKCS #8); empty if OpenSSL cannot make one.
[[nodiscard]] std::string make_p256_pem();

/// SHA-256, to be fetched once and kept: in OpenSSL 3.0 EVP_sha256() looks the algorithm up again
/// on every use, under a lock that all threads share.
[[nodiscard]] digest_handle fetch_sha256() noexcept;

}  // namespace tocsin::auth
