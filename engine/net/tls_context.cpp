#include "engine/net/tls_context.hpp"

#include <boost/asio/ip/address.hpp>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <string_view>

namespace tocsin::net {
namespace {

/// OpenSSL's own words for the last thing that went wrong, and an empty error queue.
std::string last_problem() {
    std::array<char, 256> text{};
    const unsigned long code = ERR_get_error();
    ERR_error_string_n(code, text.data(), text.size());
    ERR_clear_error();
    const char* reason = ERR_reason_error_string(code);
    return reason != nullptr ? reason : text.data();
}

std::string alpn_wire_form(std::string_view protocol) {
    std::string out(1, static_cast<char>(protocol.size()));
    out += protocol;
    return out;
}

bool is_ip_address(const std::string& host) {
    error_code ec;
    boost::asio::ip::make_address(host, ec);
    return !ec;
}

}  // namespace

parsed<std::shared_ptr<tls_context>> tls_context::create(const tls_options& options) {
    c_handle<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_client_method()));
    if (context == nullptr) {
        return refusal{"tls", "OpenSSL cannot make a TLS context: " + last_problem()};
    }
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_default_verify_paths(context.get());
    SSL_CTX_set_mode(
        context.get(),
        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    // All that lies there is taken at once, not the head of a record and then its rest.
    SSL_CTX_set_read_ahead(context.get(), 1);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    if (!options.ca_file.empty() && SSL_CTX_load_verify_file(context.get(), options.ca_file.c_str()) != 1) {
        return refusal{"ca_file", options.ca_file + " is not a file of PEM certificates: " + last_problem()};
    }
    if (!options.certificate_file.empty()) {
        if (SSL_CTX_use_certificate_chain_file(context.get(), options.certificate_file.c_str()) != 1) {
            return refusal{
                "certificate_file",
                options.certificate_file + " is not a PEM certificate chain: " + last_problem()};
        }
        if (SSL_CTX_use_PrivateKey_file(
                context.get(), options.certificate_key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_check_private_key(context.get()) != 1) {
            return refusal{
                "certificate_key_file", options.certificate_key_file + " is not the PEM private key of " +
                                            options.certificate_file + ": " + last_problem()};
        }
    }
    if (!options.alpn.empty()) {
        const std::string wire = alpn_wire_form(options.alpn);
        SSL_CTX_set_alpn_protos(
            context.get(), reinterpret_cast<const unsigned char*>(wire.data()),
            static_cast<unsigned>(wire.size()));
    }
    return std::shared_ptr<tls_context>(new tls_context(std::move(context)));
}

c_handle<SSL, SSL_free> tls_context::session(std::string host) const {
    // The final dot of a name that is complete is for the resolver. No certificate has it, and SNI must not
    // (RFC 6066, section 3).
    if (host.ends_with('.')) {
        host.pop_back();
    }
    c_handle<SSL, SSL_free> session(SSL_new(context_.get()));
    SSL_set_connect_state(session.get());
    if (is_ip_address(host)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), host.c_str());
    } else {
        // What SSL_set_tlsext_host_name() does, without the C cast in the macro.
        SSL_ctrl(
            session.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
            const_cast<char*>(host.c_str()));
        // A name in the subject alone is no name (RFC 9525, section 2).
        SSL_set_hostflags(
            session.get(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        SSL_set1_host(session.get(), host.c_str());
    }
    return session;
}

}  // namespace tocsin::net
