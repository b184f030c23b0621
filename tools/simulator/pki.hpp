#pragma once

#include "engine/core/c_handle.hpp"
#include "engine/core/error.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>
#include <string_view>

namespace tocsin::sim {

using key_handle = c_handle<EVP_PKEY, EVP_PKEY_free>;
using certificate_handle = c_handle<X509, X509_free>;

[[nodiscard]] key_handle make_ec_key();   ///< P-256; null if OpenSSL cannot.
[[nodiscard]] key_handle make_rsa_key();  ///< 2048 bits; null if OpenSSL cannot.

/// PKCS#8 PEM, unencrypted: the form of Apple's .p8 and of Google's private_key.
[[nodiscard]] std::string to_pem(EVP_PKEY& key);
[[nodiscard]] std::string to_pem(X509& certificate);
/// Null unless `pem` holds one.
[[nodiscard]] key_handle key_from_pem(std::string_view pem);
[[nodiscard]] certificate_handle certificate_from_pem(std::string_view pem);

/// A throw-away certificate authority: a P-256 key and its self-signed certificate.
class authority {
public:
    [[nodiscard]] static result<authority> create();
    /// Empty error unless both are PEM, belong together, and the certificate is valid for a month more.
    [[nodiscard]] static result<authority> from_pem(std::string_view certificate, std::string_view key);

    /// A certificate for a TLS server; `names` as OpenSSL spells them ("DNS:localhost,IP:::1").
    [[nodiscard]] certificate_handle issue_server(EVP_PKEY& key, const std::string& names) const;
    /// An "Apple Push Services" client certificate; the topic is the subject's UID, as Apple's are.
    [[nodiscard]] certificate_handle issue_client(EVP_PKEY& key, const std::string& topic) const;

    /// True if this authority signed `certificate` and it is valid for a month more.
    [[nodiscard]] bool issued(X509& certificate) const;

    [[nodiscard]] X509& certificate() const noexcept { return *certificate_; }
    [[nodiscard]] EVP_PKEY& key() const noexcept { return *key_; }

private:
    authority(key_handle key, certificate_handle certificate) noexcept
        : key_(std::move(key)), certificate_(std::move(certificate)) {}

    key_handle key_;
    certificate_handle certificate_;
};

/// The topics a client certificate is for: the UIDs of its subject.
[[nodiscard]] std::string topic_of(X509& certificate);

}  // namespace tocsin::sim
