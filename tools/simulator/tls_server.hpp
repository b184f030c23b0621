#pragma once

#include "engine/core/c_handle.hpp"
#include "engine/core/error.hpp"
#include "tools/simulator/pki.hpp"

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::sim {

using tls_context_handle = c_handle<SSL_CTX, SSL_CTX_free>;

enum class protocol : std::uint8_t { http1, http2 };

/// Server-side TLS settings, TLS 1.2 or later, with a fresh certificate of `ca` for `address` and
/// the loopback names. A client that offers only other protocols is turned away; a client certificate
/// is verified if HTTP/2 is spoken and there is one.
[[nodiscard]] result<tls_context_handle> make_server_context(
    const authority& ca, const std::string& address, protocol spoken);

/// One TLS connection without its socket: ciphertext in and out, plaintext in and out.
class tls_pipe {
public:
    explicit tls_pipe(SSL_CTX* context);
    tls_pipe(const tls_pipe&) = delete;
    tls_pipe& operator=(const tls_pipe&) = delete;

    /// Lends ciphertext from the peer, to be used up by read() until that returns 0.
    void lend(std::string_view ciphertext) noexcept { input_ = ciphertext; }

    enum class state : std::uint8_t { open, closed, broken };

    /// Decrypts into `plaintext`; 0 means that all that was lent is used up, or that the connection
    /// is no longer open. Does the handshake on the way.
    [[nodiscard]] std::size_t read(char* plaintext, std::size_t room) noexcept;

    /// Encrypts; only after the handshake.
    void write(std::string_view plaintext) noexcept;
    /// Says goodbye (close_notify).
    void close() noexcept;

    /// Ciphertext for the peer; the owner takes it out.
    [[nodiscard]] std::string& output() noexcept { return output_; }

    [[nodiscard]] state now() const noexcept { return state_; }
    [[nodiscard]] bool established() const noexcept { return SSL_is_init_finished(session_.get()) == 1; }
    [[nodiscard]] bool speaks_http2() const noexcept;
    /// The peer's verified certificate; null if it sent none.
    [[nodiscard]] certificate_handle peer_certificate() const;

private:
    static const BIO_METHOD* method();
    static int on_read(BIO* bio, char* data, std::size_t room, std::size_t* count) noexcept;
    static int on_write(BIO* bio, const char* data, std::size_t size, std::size_t* count) noexcept;
    static long on_control(BIO* bio, int command, long number, void* argument) noexcept;

    std::string_view input_;
    std::string output_;
    state state_ = state::open;
    c_handle<SSL, SSL_free> session_;
};

}  // namespace tocsin::sim
