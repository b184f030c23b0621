#pragma once

#include "engine/core/c_handle.hpp"

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tocsin::net {

/// The client side of one TLS connection, without the connection: bytes in, bytes out.
///
/// The caller owns the socket. Order of calls: handshake(), write what take_output() gives, then
/// receive() and handshake() again until it is done; after that receive(), read() until it returns 0,
/// write() and take_output() as needed. Nothing here blocks, throws or knows the time.
class tls_channel {
public:
    enum class progress : std::uint8_t {
        wants_bytes,  ///< Send what take_output() gives, then receive() more.
        done,
        failed,  ///< problem() says why. There may be an alert to send.
    };
    enum class state : std::uint8_t {
        open,
        closed_by_peer,  ///< The peer said that it will send no more (close_notify).
        failed,
    };

    /// `session` is what tls_context::session() made.
    explicit tls_channel(c_handle<SSL, SSL_free> session);
    tls_channel(const tls_channel&) = delete;
    tls_channel& operator=(const tls_channel&) = delete;
    ~tls_channel();

    /// Offers to resume an earlier session. Before the first handshake() only.
    void resume(SSL_SESSION* ticket) noexcept;

    /// Takes bytes from the peer. The view is not copied: call handshake() or read() until it
    /// wants more before the bytes go away.
    void receive(std::string_view ciphertext) noexcept;

    [[nodiscard]] progress handshake();

    /// Decrypts into `out` as many records as fit; 0 when more bytes are needed or now() is not open.
    [[nodiscard]] std::size_t read(std::span<char> out);

    /// Encrypts all of `plaintext`, 16 KiB to a record. False if the channel has failed.
    [[nodiscard]] bool write(std::string_view plaintext);
    /// The same, with all that is to be sent in `out` afterwards, whose storage is used for it and whose
    /// content is lost. The channel keeps no storage of its own then.
    [[nodiscard]] bool write(std::string_view plaintext, std::string& out);

    /// Says that nothing more will be written (close_notify).
    void shutdown();

    /// Moves the bytes to send into `out`, whose storage is used again for the next ones.
    void take_output(std::string& out) noexcept;
    [[nodiscard]] bool has_output() const noexcept { return !wires_.out.empty(); }

    [[nodiscard]] state now() const noexcept { return state_; }
    /// Why the handshake or the channel failed, in words an operator can act on: no full stop, no host.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
    /// The fatal alert with which the peer ended the channel (RFC 8446, section 6), if it did.
    [[nodiscard]] std::optional<std::uint8_t> alert() const noexcept { return alert_; }
    /// What the peer chose; empty if it chose nothing.
    [[nodiscard]] std::string_view alpn() const noexcept;
    [[nodiscard]] bool resumed() const noexcept { return SSL_session_reused(session_.get()) == 1; }

    /// What resume() can be given on the next connection to the same host with the same context;
    /// null if the peer has sent no ticket (yet). With TLS 1.3 tickets arrive after the handshake.
    [[nodiscard]] c_handle<SSL_SESSION, SSL_SESSION_free> ticket() const;

private:
    /// What the BIO under OpenSSL reads from and writes to.
    struct wires {
        std::string_view in;
        std::string out;
    };
    struct bio;  // The C trampolines, kept out of the header.

    static void note_message(
        int written, int version, int type, const void* bytes, std::size_t size, SSL* session, void* channel);
    void fail(int ssl_error);

    wires wires_;
    state state_ = state::open;
    std::string problem_;
    std::optional<std::uint8_t> alert_;
    std::size_t messages_in_a_row_ = 0;  ///< Tickets and new keys, with no data between.
    c_handle<SSL, SSL_free> session_;
};

}  // namespace tocsin::net
