#pragma once

#include "engine/core/c_handle.hpp"
#include "engine/core/error.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace tocsin::net {

struct tls_options {
    std::string ca_file;               ///< Extra trust root beside the system's; empty: none.
    std::string certificate_file;      ///< Client certificate chain (PEM), for mutual TLS; empty: none.
    std::string certificate_key_file;  ///< Its private key (PEM).
    std::string alpn;                  ///< The one protocol to offer ("h2", "http/1.1"); empty: no ALPN.
};

/// Client-side TLS settings: TLS 1.2 or later, the peer always verified. Immutable after
/// creation, shared by threads.
class tls_context {
public:
    /// The refusal names the file that cannot be used and why.
    [[nodiscard]] static parsed<std::shared_ptr<tls_context>> create(const tls_options& options);

    /// A new client session for `host`: SNI and name verification are set (an IP address is verified
    /// as one; a final dot is none of a name's), memory BIOs are not.
    [[nodiscard]] c_handle<SSL, SSL_free> session(std::string host) const;

    [[nodiscard]] SSL_CTX* native() const noexcept { return context_.get(); }

private:
    explicit tls_context(c_handle<SSL_CTX, SSL_CTX_free> context) noexcept : context_(std::move(context)) {}
    c_handle<SSL_CTX, SSL_CTX_free> context_;
};

}  // namespace tocsin::net
