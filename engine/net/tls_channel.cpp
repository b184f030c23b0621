#include "engine/net/tls_channel.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace tocsin::net {
namespace {

// Tickets and new keys come singly; OpenSSL itself would go on for ever.
constexpr std::size_t most_messages_in_a_row = 64;

int clamped(std::size_t size) noexcept {
    return static_cast<int>(std::min<std::size_t>(size, std::size_t{1} << 30U));
}

/// SSL_get_error() needs an empty queue. Clearing an empty one costs more than looking, and there is one for
/// each record.
void forget_errors() noexcept {
    if (ERR_peek_error() != 0) {
        ERR_clear_error();
    }
}

}  // namespace

// OpenSSL's own memory BIO copies every byte once more in each direction, and moves what is left
// when it is read in parts. This one reads from the caller's buffer and appends to our string.
struct tls_channel::bio {
    using method_handle = c_handle<BIO_METHOD, BIO_meth_free>;

    static wires& self(BIO* handle) noexcept { return *static_cast<wires*>(BIO_get_data(handle)); }

    static int read(BIO* handle, char* out, int size) noexcept {
        wires& ends = self(handle);
        BIO_clear_flags(handle, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
        const std::size_t count = std::min(ends.in.size(), static_cast<std::size_t>(size));
        if (count == 0) {
            BIO_set_flags(handle, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
            return -1;
        }
        std::memcpy(out, ends.in.data(), count);
        ends.in.remove_prefix(count);
        return static_cast<int>(count);
    }

    static int write(BIO* handle, const char* data, int size) noexcept {
        try {
            self(handle).out.append(data, static_cast<std::size_t>(size));
            return size;
        } catch (const std::bad_alloc&) {
            return -1;
        }
    }

    static long control(BIO*, int command, long, void*) noexcept { return command == BIO_CTRL_FLUSH ? 1 : 0; }

    static const method_handle& method() {
        static const method_handle shared = [] {
            method_handle made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tls_channel"));
            BIO_meth_set_read(made.get(), &read);
            BIO_meth_set_write(made.get(), &write);
            BIO_meth_set_ctrl(made.get(), &control);
            return made;
        }();
        return shared;
    }
};

tls_channel::tls_channel(c_handle<SSL, SSL_free> session) : session_(std::move(session)) {
    BIO* raw = BIO_new(bio::method().get());
    if (raw == nullptr) {
        throw std::bad_alloc();
    }
    BIO_set_data(raw, &wires_);
    BIO_set_init(raw, 1);
    SSL_set_bio(session_.get(), raw, raw);  // Takes over the one reference for both directions.
    SSL_set_options(session_.get(), SSL_OP_NO_RENEGOTIATION);
    SSL_set_msg_callback(session_.get(), &note_message);
    SSL_ctrl(session_.get(), SSL_CTRL_SET_MSG_CALLBACK_ARG, 0, this);
    // A connection that is busy would allocate and free 17 KiB with every write.
    SSL_ctrl(session_.get(), SSL_CTRL_CLEAR_MODE, SSL_MODE_RELEASE_BUFFERS, nullptr);
}

tls_channel::~tls_channel() = default;

void tls_channel::note_message(
    int written, int, int type, const void* bytes, std::size_t size, SSL*, void* channel) {
    if (written != 0 || type != SSL3_RT_HANDSHAKE || size == 0) {
        return;
    }
    const int message = *static_cast<const unsigned char*>(bytes);
    if (message == SSL3_MT_KEY_UPDATE || message == SSL3_MT_NEWSESSION_TICKET) {
        ++static_cast<tls_channel*>(channel)->messages_in_a_row_;
    }
}

void tls_channel::resume(SSL_SESSION* ticket) noexcept {
    SSL_set_session(session_.get(), ticket);
}

void tls_channel::receive(std::string_view ciphertext) noexcept {
    wires_.in = ciphertext;
}

tls_channel::progress tls_channel::handshake() {
    if (state_ == state::failed) {
        return progress::failed;
    }
    ERR_clear_error();
    const int outcome = SSL_do_handshake(session_.get());
    if (outcome == 1) {
        return progress::done;
    }
    const int error = SSL_get_error(session_.get(), outcome);
    if (error == SSL_ERROR_WANT_READ) {
        return progress::wants_bytes;
    }
    fail(error);
    return progress::failed;
}

std::size_t tls_channel::read(std::span<char> out) {
    std::size_t total = 0;
    while (state_ == state::open && total < out.size()) {
        forget_errors();
        const int count = SSL_read(session_.get(), out.data() + total, clamped(out.size() - total));
        if (count > 0) {
            total += static_cast<std::size_t>(count);
            messages_in_a_row_ = 0;
            continue;
        }
        if (messages_in_a_row_ > most_messages_in_a_row) {
            state_ = state::failed;
            problem_ = "the peer sends new keys or tickets again and again, and no data";
            break;
        }
        const int error = SSL_get_error(session_.get(), count);
        if (error == SSL_ERROR_WANT_READ) {
            break;
        }
        if (error == SSL_ERROR_ZERO_RETURN) {
            state_ = state::closed_by_peer;
            break;
        }
        fail(error);
    }
    return total;
}

bool tls_channel::write(std::string_view plaintext) {
    if (state_ == state::failed) {
        return false;
    }
    while (!plaintext.empty()) {
        forget_errors();
        const int count = SSL_write(session_.get(), plaintext.data(), clamped(plaintext.size()));
        if (count <= 0) {
            fail(SSL_get_error(session_.get(), count));
            return false;
        }
        plaintext.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool tls_channel::write(std::string_view plaintext, std::string& out) {
    out.assign(wires_.out);
    wires_.out.swap(out);
    const bool written = write(plaintext);
    wires_.out.swap(out);
    wires_.out.clear();
    return written;
}

void tls_channel::shutdown() {
    if (state_ != state::failed) {
        ERR_clear_error();
        SSL_shutdown(session_.get());
        ERR_clear_error();
    }
}

void tls_channel::take_output(std::string& out) noexcept {
    out.clear();
    out.swap(wires_.out);
}

std::string_view tls_channel::alpn() const noexcept {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(session_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

c_handle<SSL_SESSION, SSL_SESSION_free> tls_channel::ticket() const {
    using handle = c_handle<SSL_SESSION, SSL_SESSION_free>;
    SSL_SESSION* current = SSL_get0_session(session_.get());
    if (current == nullptr || SSL_SESSION_is_resumable(current) != 1) {
        return nullptr;
    }
    // A copy: SSL_free() marks the session of a connection that was cut as not resumable.
    return handle(SSL_SESSION_dup(current));
}

void tls_channel::fail(int ssl_error) {
    state_ = state::failed;
    const unsigned long code = ERR_peek_last_error();  // Earlier entries are the causes of causes.
    const char* reason = ERR_reason_error_string(code);
    // OpenSSL numbers what a peer's alert makes it report by the alert.
    if (const int number = ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET; number > 0 && number < 256) {
        alert_ = static_cast<std::uint8_t>(number);
    }
    const long verified = SSL_get_verify_result(session_.get());
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK) {
        problem_ = "certificate verify failed: ";
        problem_ += X509_verify_cert_error_string(verified);
    } else if (reason != nullptr) {
        problem_ = reason;
    } else if (ssl_error == SSL_ERROR_ZERO_RETURN) {
        problem_ = "the peer closed the TLS connection";
    } else {
        problem_ = "TLS failed without a reason";
    }
    ERR_clear_error();
}

}  // namespace tocsin::net
