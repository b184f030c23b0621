#include "tools/simulator/tls_server.hpp"

#include <boost/asio/ip/address.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstring>

namespace tocsin::sim {
namespace {

constexpr std::string_view http1_name = "http/1.1";
constexpr std::string_view http2_name = "h2";

error_code crypto_failure() noexcept {
    return make_error_code(boost::system::errc::invalid_argument);
}

std::string subject_names(const std::string& address) {
    std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
    error_code ec;
    const auto number = boost::asio::ip::make_address(address, ec);
    if (ec) {
        names += ",DNS:" + address;
    } else if (!number.is_unspecified() && address != "127.0.0.1" && address != "::1") {
        names += ",IP:" + address;
    }
    return names;
}

int choose_protocol(
    SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
    unsigned offered_size, void* spoken) noexcept {
    const auto& wanted = *static_cast<const std::string_view*>(spoken);
    const std::string_view list(reinterpret_cast<const char*>(offered), offered_size);
    for (std::size_t at = 0; at < list.size();) {
        const auto size = static_cast<unsigned char>(list[at]);
        if (list.substr(at + 1, size) == wanted) {
            *chosen = offered + at + 1;
            *chosen_size = size;
            return SSL_TLSEXT_ERR_OK;
        }
        at += std::size_t{size} + 1;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

result<tls_context_handle> make_server_context(
    const authority& ca, const std::string& address, protocol spoken) {
    const key_handle key = make_ec_key();
    const auto certificate = key == nullptr ? nullptr : ca.issue_server(*key, subject_names(address));
    tls_context_handle context(SSL_CTX_new(TLS_server_method()));
    if (certificate == nullptr || context == nullptr ||
        SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
        ERR_clear_error();
        return crypto_failure();
    }
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION);
    // The cheapest first: the simulator shares its machine with what it measures.
    SSL_CTX_set_ciphersuites(
        context.get(), "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
    const std::string_view& name = spoken == protocol::http2 ? http2_name : http1_name;
    SSL_CTX_set_alpn_select_cb(context.get(), &choose_protocol, const_cast<std::string_view*>(&name));
    // Without an id a resumed session that could carry a client certificate is an error.
    SSL_CTX_set_session_id_context(
        context.get(), reinterpret_cast<const unsigned char*>(name.data()),
        static_cast<unsigned>(name.size()));
    if (spoken == protocol::http2) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), &ca.certificate());
        SSL_CTX_add_client_CA(context.get(), &ca.certificate());
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    }
    return context;
}

const BIO_METHOD* tls_pipe::method() {
    static const c_handle<BIO_METHOD, BIO_meth_free> shared = [] {
        c_handle<BIO_METHOD, BIO_meth_free> made(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "tls_pipe"));
        BIO_meth_set_read_ex(made.get(), &tls_pipe::on_read);
        BIO_meth_set_write_ex(made.get(), &tls_pipe::on_write);
        BIO_meth_set_ctrl(made.get(), &tls_pipe::on_control);
        return made;
    }();
    return shared.get();
}

tls_pipe::tls_pipe(SSL_CTX* context) : session_(SSL_new(context)) {
    // A BIO of our own instead of a memory BIO: what was read from the socket is decrypted where it
    // lies, and records are encrypted to where they are written from.
    BIO* bio = BIO_new(method());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(session_.get(), bio, bio);
    SSL_set_accept_state(session_.get());
    SSL_set_read_ahead(session_.get(), 1);
}

std::size_t tls_pipe::read(char* plaintext, std::size_t room) noexcept {
    std::size_t count = 0;
    if (state_ != state::open || SSL_read_ex(session_.get(), plaintext, room, &count) == 1) {
        return count;
    }
    const int why = SSL_get_error(session_.get(), 0);
    if (why == SSL_ERROR_ZERO_RETURN) {
        state_ = state::closed;
    } else if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
        state_ = state::broken;
    }
    ERR_clear_error();
    return 0;
}

void tls_pipe::write(std::string_view plaintext) noexcept {
    std::size_t written = 0;
    if (!plaintext.empty() &&
        SSL_write_ex(session_.get(), plaintext.data(), plaintext.size(), &written) != 1) {
        state_ = state::broken;
        ERR_clear_error();
    }
}

void tls_pipe::close() noexcept {
    if (established() && state_ != state::broken) {
        SSL_shutdown(session_.get());
        ERR_clear_error();
    }
}

bool tls_pipe::speaks_http2() const noexcept {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(session_.get(), &name, &size);
    return std::string_view(reinterpret_cast<const char*>(name), size) == http2_name;
}

certificate_handle tls_pipe::peer_certificate() const {
    return certificate_handle(SSL_get1_peer_certificate(session_.get()));
}

int tls_pipe::on_read(BIO* bio, char* data, std::size_t room, std::size_t* count) noexcept {
    auto& self = *static_cast<tls_pipe*>(BIO_get_data(bio));
    BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
    *count = std::min(room, self.input_.size());
    if (*count == 0) {
        BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
        return 0;
    }
    std::memcpy(data, self.input_.data(), *count);
    self.input_.remove_prefix(*count);
    return 1;
}

int tls_pipe::on_write(BIO* bio, const char* data, std::size_t size, std::size_t* count) noexcept {
    static_cast<tls_pipe*>(BIO_get_data(bio))->output_.append(data, size);
    *count = size;
    return 1;
}

long tls_pipe::on_control(BIO*, int command, long, void*) noexcept {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

}  // namespace tocsin::sim
