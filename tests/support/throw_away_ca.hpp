#pragma once

#include "engine/core/c_handle.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

#include <unistd.h>

namespace tocsin::testing {

/// A file in the temporary folder that is gone with this object.
class temporary_file {
public:
    explicit temporary_file(const std::string& content) {
        std::string name = "/tmp/tocsin-test-XXXXXX";
        const int descriptor = mkstemp(name.data());
        if (descriptor < 0 || write(descriptor, content.data(), content.size()) < 0) {
            throw std::runtime_error("cannot write a temporary file");
        }
        ::close(descriptor);
        path_ = name;
    }
    temporary_file(temporary_file&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    temporary_file& operator=(temporary_file&&) = delete;
    ~temporary_file() {
        if (!path_.empty()) {
            std::remove(path_.c_str());
        }
    }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

/// A certificate authority that lives as long as a test, and what it issues.
class throw_away_ca {
public:
    using key_handle = c_handle<EVP_PKEY, EVP_PKEY_free>;
    using certificate_handle = c_handle<X509, X509_free>;
    using context_handle = c_handle<SSL_CTX, SSL_CTX_free>;

    throw_away_ca() : key_(new_key()), certificate_(make("Tocsin Test CA", "", key_.get())) {}

    /// Its own certificate, as PEM.
    [[nodiscard]] std::string certificate() const { return to_pem(certificate_.get()); }
    /// Where clients find it.
    [[nodiscard]] const std::string& file() const { return file_.path(); }

    /// What a server that is another program reads, as PEM.
    struct identity {
        std::string certificate;
        std::string key;
    };
    [[nodiscard]] identity issue(const std::string& names) const {
        const key_handle key = new_key();
        const certificate_handle certificate = make("push.test", names, key.get());
        const c_handle<BIO, BIO_free_all> memory(BIO_new(BIO_s_mem()));
        PEM_write_bio_PKCS8PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        return {to_pem(certificate.get()), text_of(memory.get())};
    }

    /// A server context with a certificate for `names`, as in "DNS:localhost,IP:127.0.0.1".
    [[nodiscard]] context_handle server_context(const std::string& names) const {
        const key_handle key = new_key();
        const certificate_handle certificate = make("push.test", names, key.get());
        context_handle out(SSL_CTX_new(TLS_server_method()));
        if (SSL_CTX_use_certificate(out.get(), certificate.get()) != 1 ||
            SSL_CTX_use_PrivateKey(out.get(), key.get()) != 1) {
            throw std::runtime_error("cannot use the certificate just made");
        }
        return out;
    }

private:
    static key_handle new_key() { return key_handle(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")); }

    static void add_extension(X509* to, X509* issuer, int id, const std::string& value) {
        X509V3_CTX context{};
        X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
        const c_handle<X509_EXTENSION, X509_EXTENSION_free> extension(
            X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
        if (extension == nullptr || X509_add_ext(to, extension.get(), -1) != 1) {
            throw std::runtime_error("cannot add the extension " + value);
        }
    }

    /// Signed by this authority; without `names`, the authority itself.
    certificate_handle make(const std::string& common_name, const std::string& names, EVP_PKEY* key) const {
        static long serial = 1000;
        certificate_handle out(X509_new());
        X509_set_version(out.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(out.get()), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(out.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(out.get()), 24L * 3600);
        X509_set_pubkey(out.get(), key);
        X509_NAME_add_entry_by_txt(
            X509_get_subject_name(out.get()), "CN", MBSTRING_ASC,
            reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
        X509* issuer = names.empty() ? out.get() : certificate_.get();
        X509_set_issuer_name(out.get(), X509_get_subject_name(issuer));
        if (names.empty()) {
            add_extension(out.get(), issuer, NID_basic_constraints, "critical,CA:TRUE");
        } else {
            add_extension(out.get(), issuer, NID_subject_alt_name, names);
        }
        if (X509_sign(out.get(), key_.get(), EVP_sha256()) == 0) {
            throw std::runtime_error("cannot sign a certificate");
        }
        return out;
    }

    static std::string to_pem(X509* certificate) {
        const c_handle<BIO, BIO_free_all> memory(BIO_new(BIO_s_mem()));
        PEM_write_bio_X509(memory.get(), certificate);
        return text_of(memory.get());
    }

    static std::string text_of(BIO* from) {
        std::string out(BIO_ctrl_pending(from), '\0');
        BIO_read(from, out.data(), static_cast<int>(out.size()));
        return out;
    }

    key_handle key_;
    certificate_handle certificate_;
    temporary_file file_{to_pem(certificate_.get())};
};

}  // namespace tocsin::testing
