#pragma once

#include "engine/core/c_handle.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <string>
#include <string_view>
#include <utility>

namespace tocsin::testing {

// Keys are made by the test. A private key in the tree is a private key in somebody's scanner.
class test_key {
public:
    [[nodiscard]] static test_key p256() { return test_key(EVP_EC_gen("P-256")); }
    [[nodiscard]] static test_key ec(const char* curve) { return test_key(EVP_EC_gen(curve)); }
    [[nodiscard]] static test_key rsa(unsigned bits) {
        return test_key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{bits}));
    }

    [[nodiscard]] std::string pem() const {
        const bio out(BIO_new(BIO_s_mem()));
        PEM_write_bio_PKCS8PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
        return text_of(out);
    }

    [[nodiscard]] std::string encrypted_pem(const std::string& pass_phrase) const {
        const bio out(BIO_new(BIO_s_mem()));
        PEM_write_bio_PKCS8PrivateKey(
            out.get(), key_.get(), EVP_aes_128_cbc(), pass_phrase.data(),
            static_cast<int>(pass_phrase.size()), nullptr, nullptr);
        return text_of(out);
    }

    /// Of a signature as JWS has it: R || S for elliptic curves, as it is for RSA.
    [[nodiscard]] bool verifies(std::string_view message, std::string_view signature) const {
        const std::string der =
            EVP_PKEY_is_a(key_.get(), "EC") == 1 ? der_of(signature) : std::string(signature);
        const c_handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
        return EVP_DigestVerify(
                   context.get(), reinterpret_cast<const unsigned char*>(der.data()), der.size(),
                   reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
    }

    /// A certificate of this key's own making, for `host` and 127.0.0.1, as PEM.
    [[nodiscard]] std::string certificate(const char* host) const {
        const c_handle<X509, X509_free> made(X509_new());
        X509_set_version(made.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(made.get()), 24L * 3600);
        X509_set_pubkey(made.get(), key_.get());
        X509_NAME* name = X509_get_subject_name(made.get());
        X509_NAME_add_entry_by_txt(
            name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(host), -1, -1, 0);
        X509_set_issuer_name(made.get(), name);
        add_extension(made.get(), NID_basic_constraints, "critical,CA:TRUE");
        add_extension(
            made.get(), NID_subject_alt_name, (std::string("DNS:") + host + ",IP:127.0.0.1").c_str());
        X509_sign(made.get(), key_.get(), EVP_sha256());
        const bio out(BIO_new(BIO_s_mem()));
        PEM_write_bio_X509(out.get(), made.get());
        return text_of(out);
    }

private:
    using bio = c_handle<BIO, BIO_free_all>;
    explicit test_key(EVP_PKEY* key) : key_(key) {}

    static std::string text_of(const bio& source) {
        char* data = nullptr;
        const long size = BIO_ctrl(source.get(), BIO_CTRL_INFO, 0, &data);
        return {data, static_cast<std::size_t>(size)};
    }

    static std::string der_of(std::string_view raw) {
        if (raw.size() != 64) {
            return {};
        }
        const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
        const c_handle<ECDSA_SIG, ECDSA_SIG_free> parts(ECDSA_SIG_new());
        ECDSA_SIG_set0(parts.get(), BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
        unsigned char* der = nullptr;
        const int size = i2d_ECDSA_SIG(parts.get(), &der);
        std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
        CRYPTO_free(der, __FILE__, __LINE__);
        return out;
    }

    static void add_extension(X509* certificate, int kind, const char* value) {
        X509V3_CTX context;
        X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
        const c_handle<X509_EXTENSION, X509_EXTENSION_free> extension(
            X509V3_EXT_conf_nid(nullptr, &context, kind, value));
        X509_add_ext(certificate, extension.get(), -1);
    }

    c_handle<EVP_PKEY, EVP_PKEY_free> key_;
};

}  // namespace tocsin::testing
