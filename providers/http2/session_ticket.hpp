#pragma once

#include "engine/core/c_handle.hpp"

#include <openssl/ssl.h>

#include <utility>

namespace tocsin::http2 {

using ticket_handle = c_handle<SSL_SESSION, SSL_SESSION_free>;

/// The newest ticket that a peer gave to resume a TLS session with (RFC 8446, section 2.2): a dial with one
/// needs no certificate, which is most of what a handshake costs. Pools of one thread that dial the same peer
/// under the same TLS context share it: what a request is authorised by is not in the session.
class session_ticket {
public:
    /// Null: there is none.
    [[nodiscard]] SSL_SESSION* get() const noexcept { return newest_.get(); }
    void keep(ticket_handle newest) noexcept { newest_ = std::move(newest); }
    void drop() noexcept { newest_.reset(); }

private:
    ticket_handle newest_;
};

}  // namespace tocsin::http2
